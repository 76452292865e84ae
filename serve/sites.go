package serve

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
)

// siteCalls are those that have evidence weighed anew.
func (s *server) siteCalls(api huma.API) {
	get(s, api, "/api/sites/{id}/history", "What was known of a site's place as evidence was sensed", func(ctx context.Context, in *One) (app.SiteHistory, error) {
		leave, err := take(ctx, s.weighs)
		if err != nil {
			return app.SiteHistory{}, err
		}
		defer leave()
		return s.app.History(ctx, readerOf(ctx).view, atalaya.CandidateID(in.ID))
	})
	get(s, api, "/api/sites/{id}/next", "What one more look at a site would tell for an hour of flight: advice, sent to nobody", func(ctx context.Context, in *One) (app.NextLooks, error) {
		leave, err := take(ctx, s.weighs)
		if err != nil {
			return app.NextLooks{}, err
		}
		defer leave()
		return s.app.NextLooks(ctx, readerOf(ctx).view, atalaya.CandidateID(in.ID))
	})
	get(s, api, "/api/sorties", "What was flown, week by week", func(ctx context.Context, in *ofMission) (app.SortiesView, error) {
		return s.app.Sorties(ctx, readerOf(ctx).view, atalaya.MissionID(in.Mission))
	})
	get(s, api, "/api/calibration", "What stands behind words of probability, and what came back so far", func(ctx context.Context, _ *struct{}) (app.CalibrationView, error) {
		return s.app.Calibrated(ctx, readerOf(ctx).view)
	})
	get(s, api, "/api/compare", "Two candidate sites beside each other", func(ctx context.Context, in *struct {
		A string `query:"a" required:"true" maxLength:"80"`
		B string `query:"b" required:"true" maxLength:"80"`
	}) (app.TwoCards, error) {
		who := readerOf(ctx)
		return s.app.Compare(ctx, who.Account, who.view, atalaya.CandidateID(in.A), atalaya.CandidateID(in.B))
	})
	get(s, api, "/api/assess", "Why a place is ranked as it is, or not at all", func(ctx context.Context, in *struct {
		Mission string  `query:"mission" maxLength:"64" doc:"the latest when absent"`
		Lat     float64 `query:"lat" required:"true" minimum:"-90" maximum:"90" doc:"WGS 84 degrees"`
		Lon     float64 `query:"lon" required:"true" minimum:"-180" maximum:"180"`
	}) (app.PlaceView, error) {
		leave, err := take(ctx, s.weighs)
		if err != nil {
			return app.PlaceView{}, err
		}
		defer leave()
		return s.app.Place(ctx, readerOf(ctx).view, atalaya.MissionID(in.Mission), geodesy.LatLon{Lat: in.Lat, Lon: in.Lon})
	})
}
