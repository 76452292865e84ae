package serve

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
)

// gasCalls are those of the gas room.
func (s *server) gasCalls(api huma.API) {
	get(s, api, "/api/gas", "Gas surveys of a mission", func(ctx context.Context, in *ofMission) (app.GasList, error) {
		return s.app.GasSurveys(ctx, readerOf(ctx).view, atalaya.MissionID(in.Mission))
	})
	get(s, api, "/api/gas/{id}", "One gas survey: its figures and its picture", func(ctx context.Context, in *One) (app.GasView, error) {
		return s.app.GasSurvey(ctx, readerOf(ctx).view, atalaya.ObservationID(in.ID))
	})
	for kind, media := range map[string]string{"svg": "image/svg+xml", "png": "image/png"} {
		op := operation(http.MethodGet, "/api/gas/{id}/figure."+kind, "The picture of a gas survey as a map sheet for a report")
		op.Responses = map[string]*huma.Response{"200": {Description: "the figure", Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
		huma.Register(api, op, func(ctx context.Context, in *struct {
			One
			Language string `query:"lang" enum:"en,es" default:"en"`
		}) (*huma.StreamResponse, error) {
			f, err := s.app.GasFigure(ctx, readerOf(ctx).view, atalaya.ObservationID(in.ID), kind, in.Language)
			if err != nil {
				return nil, s.problemOf(ctx, "figure", err)
			}
			return &huma.StreamResponse{Body: func(c huma.Context) {
				r, w := humago.Unwrap(c)
				w.Header().Set("Content-Type", f.Kind)
				w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", f.Name))
				http.ServeContent(w, r, "", time.Time{}, f)
			}}, nil
		})
	}
}
