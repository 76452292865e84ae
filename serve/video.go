package serve

import (
	"context"
	"net/http"
	"reflect"
	"runtime"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
)

// mostReels is how many calls may read videos at once: each may hold a group of pictures twice in memory.
func mostReels() int { return max(2, runtime.NumCPU()) }

// OneCallOut names a call-out of a video. Exported for huma, as One.
type OneCallOut struct {
	One
	CallOut string `path:"callout" maxLength:"80"`
}

// videoCalls are those of the video room.
func (s *server) videoCalls(api huma.API) {
	get(s, api, "/api/videos", "Videos of a mission", func(ctx context.Context, in *ofMission) (app.VideoList, error) {
		return s.app.Videos(ctx, readerOf(ctx).view, atalaya.MissionID(in.Mission))
	})
	get(s, api, "/api/videos/{id}", "One video: what it is, whether it plays, where it looked", func(ctx context.Context, in *One) (app.VideoView, error) {
		return unreeled(ctx, s, func() (app.VideoView, error) { return s.app.Video(ctx, readerOf(ctx).view, in.ID) })
	})
	get(s, api, "/api/videos/{id}/check", "What is wrong with a video and its metadata by the standards", func(ctx context.Context, in *One) (app.VideoCheck, error) {
		return unreeled(ctx, s, func() (app.VideoCheck, error) { return s.app.VideoCheck(ctx, readerOf(ctx).view, in.ID) })
	})
	get(s, api, "/api/videos/{id}/pixel", "The ground at a pixel", func(ctx context.Context, in *struct {
		One
		PTS float64 `query:"pts" required:"true" doc:"seconds on the line of the video"`
		X   float64 `query:"x" required:"true" doc:"pixels from the left edge"`
		Y   float64 `query:"y" required:"true" doc:"pixels from the upper edge"`
	}) (app.VideoPlace, error) {
		return unreeled(ctx, s, func() (app.VideoPlace, error) {
			return s.app.VideoPixel(ctx, readerOf(ctx).view, in.ID, in.PTS, in.X, in.Y)
		})
	})
	get(s, api, "/api/videos/{id}/seek", "When a place was in view", func(ctx context.Context, in *struct {
		One
		Lat float64 `query:"lat" required:"true" minimum:"-90" maximum:"90"`
		Lon float64 `query:"lon" required:"true" minimum:"-180" maximum:"180"`
	}) (app.VideoSeek, error) {
		return unreeled(ctx, s, func() (app.VideoSeek, error) {
			return s.app.VideoSeek(ctx, readerOf(ctx).view, in.ID, geodesy.LatLon{Lat: in.Lat, Lon: in.Lon})
		})
	})
	s.videoMedia(api)
	s.callOutCalls(api)
}

// unreeled waits for a place among those that read videos.
func unreeled[T any](ctx context.Context, s *server, f func() (T, error)) (out T, err error) {
	leave, err := take(ctx, s.reels)
	if err != nil {
		return out, err
	}
	defer leave()
	return f()
}

// chunkType is what the track's answer holds, for the OpenAPI document.
var chunkType = reflect.TypeFor[app.VideoChunk]()

// videoMedia are the calls whose answers are named by what they are made of: a browser keeps them, and asks each time whether its
// reader may still see them.
func (s *server) videoMedia(api huma.API) {
	binary := func(what string) map[string]*huma.Response {
		return map[string]*huma.Response{"200": {Description: what, Headers: map[string]*huma.Param{"Atalaya-Init": {Description: "name of the initialisation segment that goes before", Schema: &huma.Schema{Type: huma.TypeString}}},
			Content: map[string]*huma.MediaType{"video/mp4": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}, "304": {Description: "as the caller has it"}}
	}
	op := operation(http.MethodGet, "/api/videos/{id}/segments/{n}", "Groups of pictures as media segments of fragmented MP4, from one on")
	op.Responses = binary("the segments")
	huma.Register(api, op, func(ctx context.Context, in *struct {
		One
		N     int    `path:"n" minimum:"0"`
		Count int    `query:"count" minimum:"1" maximum:"64" default:"1" doc:"at most so many; the header Atalaya-Groups says how many came"`
		Held  string `header:"If-None-Match" maxLength:"400"`
	}) (*huma.StreamResponse, error) {
		return s.part(ctx, in.Held, func(held func(string) bool) (app.VideoPart, error) {
			return s.app.VideoSegments(ctx, readerOf(ctx).view, in.ID, in.N, in.Count, held)
		})
	})
	op = operation(http.MethodGet, "/api/videos/{id}/init.mp4", "The initialisation segment of a video, or of one of its groups")
	op.Responses = binary("the segment")
	huma.Register(api, op, func(ctx context.Context, in *struct {
		One
		Segment int    `query:"segment" minimum:"0" doc:"the group that it goes before; the first when absent"`
		Held    string `header:"If-None-Match" maxLength:"400"`
	}) (*huma.StreamResponse, error) {
		return s.part(ctx, in.Held, func(held func(string) bool) (app.VideoPart, error) {
			return s.app.VideoInit(ctx, readerOf(ctx).view, in.ID, in.Segment, held)
		})
	})
	op = operation(http.MethodGet, "/api/videos/{id}/track/{n}", "The metadata of ten seconds of a video: VideoChunk")
	op.Responses = map[string]*huma.Response{"200": {Description: "the chunk", Content: map[string]*huma.MediaType{"application/json": {Schema: api.OpenAPI().Components.Schemas.Schema(chunkType, true, "VideoChunk")}}}, "304": {Description: "as the caller has it"}}
	huma.Register(api, op, func(ctx context.Context, in *struct {
		One
		N    int    `path:"n"`
		Held string `header:"If-None-Match" maxLength:"400"`
	}) (*huma.StreamResponse, error) {
		b, err := unreeled(ctx, s, func() (app.VideoBytes, error) {
			return s.app.VideoTrack(ctx, readerOf(ctx).view, in.ID, in.N, heldBy(in.Held))
		})
		if err != nil {
			return nil, s.problemOf(ctx, "track", err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			_, w := humago.Unwrap(c)
			if tagged(w, b.Tag, b.Kind, b.Body != nil) {
				w.Write(b.Body) // a reader that has gone cannot be told
			}
		}}, nil
	})
}

// part answers with a piece of media. The place among those that read videos is held until it is sent.
func (s *server) part(ctx context.Context, held string, f func(func(string) bool) (app.VideoPart, error)) (*huma.StreamResponse, error) {
	leave, err := take(ctx, s.reels)
	if err != nil {
		return nil, s.problemOf(ctx, "video", err)
	}
	p, err := f(heldBy(held))
	if err != nil {
		leave()
		return nil, s.problemOf(ctx, "video", err)
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer leave()
		_, w := humago.Unwrap(c)
		if p.Init != "" {
			w.Header().Set("Atalaya-Init", p.Init)
			w.Header().Set("Atalaya-Groups", strconv.Itoa(p.Groups))
		}
		if !tagged(w, p.Tag, p.Kind, p.Write != nil) {
			return
		}
		if err := p.Write(w); err != nil && ctx.Err() == nil {
			s.opt.Log("video: %v", err) // the head is sent: the answer ends short, which a browser notices
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func heldBy(list string) func(string) bool {
	return func(tag string) bool { return list != "" && has(list, `"`+tag+`"`) }
}

// tagged sets the head of an answer that is named by its tag; false where the caller has it.
func tagged(w http.ResponseWriter, tag, kind string, body bool) bool {
	h := w.Header()
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Cache-Control", "private, no-cache")
	if !body {
		w.WriteHeader(http.StatusNotModified)
		return false
	}
	h.Set("Content-Type", kind)
	return true
}

func (s *server) callOutCalls(api huma.API) {
	get(s, api, "/api/videos/{id}/callouts", "What people called out in a video", func(ctx context.Context, in *One) (app.CallOutList, error) {
		who := readerOf(ctx)
		return s.app.CallOuts(ctx, who.Account, who.view, in.ID)
	})
	post(s, api, "/api/videos/{id}/callouts", "Record something seen in a video", func(ctx context.Context, in *struct {
		One
		Body struct {
			PTS        float64  `json:"pts_s" doc:"of the frame"`
			X          *float64 `json:"x_px,omitempty" doc:"the pixel that shows it"`
			Y          *float64 `json:"y_px,omitempty"`
			From       *float64 `json:"from_s,omitempty" doc:"a marked stretch of the video"`
			To         *float64 `json:"to_s,omitempty"`
			What       string   `json:"what" maxLength:"2000"`
			Confidence string   `json:"confidence,omitempty" enum:"low,moderate,high,"`
		}
	}) (Written, error) {
		who, b := readerOf(ctx), in.Body
		w, err := unreeled(ctx, s, func() (app.Written, error) {
			return s.app.CallOut(ctx, who.Account, who.view, in.ID, app.CallOutDraft{PTS: b.PTS, X: b.X, Y: b.Y, From: b.From, To: b.To, What: b.What, Confidence: app.Confidence(b.Confidence)})
		})
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
	post(s, api, "/api/videos/{id}/callouts/{callout}/withdrawal", "Take a call-out back", func(ctx context.Context, in *struct {
		OneCallOut
		Body struct {
			Why string `json:"why" maxLength:"4000"`
		}
	}) (Written, error) {
		who := readerOf(ctx)
		w, err := s.app.WithdrawCallOut(ctx, who.Account, who.view, in.ID, in.CallOut, in.Body.Why)
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
	register(s, api, http.MethodDelete, "/api/videos/{id}/callouts/{callout}/withdrawal", "Undo that", func(ctx context.Context, in *OneCallOut) (Written, error) {
		who := readerOf(ctx)
		w, err := s.app.RestoreCallOut(ctx, who.Account, who.view, in.ID, in.CallOut)
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
}
