package app

import (
	"context"
	"io"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/store/blob"
)

// VideoCheck is what is wrong with a video and its metadata by the standards, as `atalaya video check` finds it.
type VideoCheck struct {
	Banner    Banner         `json:"banner"`
	Profile   string         `json:"profile"`   // what counts as an error
	Container string         `json:"container"` // mpegts or klv
	Errors    int            `json:"errors"`    // findings of each severity
	Warnings  int            `json:"warnings"`
	Notes     int            `json:"notes"`
	Verdict   string         `json:"verdict"` // conformant, conformant with warnings, or not conformant
	Unread    bool           `json:"unread"`  // some of the file was not understood, and so not checked
	Findings  []VideoFinding `json:"findings"`
}

// VideoFinding is one fault, or many of one class about one thing, gathered: worst first, then in the order of the file.
type VideoFinding struct {
	Class    string `json:"class"`
	Severity string `json:"severity" enum:"error,warning,note"`
	Standard string `json:"standard"`
	Item     string `json:"item"` // clause, requirement or item of the standard
	About    string `json:"about,omitempty"`
	PID      *int   `json:"pid"` // null where it belongs to none
	// From and To are the first and the last place on the line of the video, seconds; null where nothing tells them.
	From     *float64 `json:"from_s"`
	To       *float64 `json:"to_s"`
	At       int64    `json:"at"` // byte of the file, of the first
	Count    int64    `json:"count"`
	What     string   `json:"what"`
	Expected string   `json:"expected"`
	Remedy   string   `json:"remedy"`
}

// videoCheck is what a check of a file found.
type videoCheck struct{ report *check.Report }

// VideoCheck checks a video by the default profile. The first call for a file reads it through.
func (a *App) VideoCheck(ctx context.Context, view access.View, id string) (VideoCheck, error) {
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return VideoCheck{}, err
	}
	c, err := a.checks.of(ctx, a, src.of.Blob, makeCheck)
	if err != nil {
		return VideoCheck{}, err
	}
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return VideoCheck{}, err
	}
	out := VideoCheck{Profile: c.report.Profile, Container: c.report.Container, Errors: c.report.Errors, Warnings: c.report.Warnings, Notes: c.report.Notes,
		Verdict: c.report.Verdict, Unread: c.report.Unread, Findings: []VideoFinding{}}
	for _, f := range c.report.Findings {
		v := VideoFinding{Class: f.Class, Severity: f.Severity.String(), Standard: f.Standard, Item: f.Item, About: f.About, From: r.lies(f.Place), To: r.lies(f.Last), At: f.At,
			Count: f.Count, What: f.What, Expected: f.Expected, Remedy: f.Remedy}
		if f.PID != nil {
			pid := int(*f.PID)
			v.PID = &pid
		}
		out.Findings = append(out.Findings, v)
	}
	out.Banner, err = BannerOf(src.of.Marking)
	return out, err
}

// makeCheck checks a file, once, from its beginning to its end.
func makeCheck(ctx context.Context, _ atalaya.BlobID, b *blob.Blob) (*videoCheck, error) {
	r, err := check.Check(whileAsked{ctx, b}, check.Default)
	return &videoCheck{r}, err
}

// whileAsked reads on as long as somebody waits for it.
type whileAsked struct {
	ctx context.Context
	io.Reader
}

func (w whileAsked) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Reader.Read(b)
}

// lies is where a place of the file lies on the line; nil where nothing tells it. In raw metadata it is the packet that lies before, of
// those a second apart.
func (r *reel) lies(p check.Place) *float64 {
	if p.PTS != nil {
		t := seconds(r.line.place(p.At, inTicks(*p.PTS)))
		return &t
	}
	if r.clock != byTime {
		return nil
	}
	i := slices.IndexFunc(r.marks, func(m mark) bool { return m.offset > p.At })
	if i < 0 {
		i = len(r.marks)
	}
	if i == 0 {
		return nil
	}
	t := r.marks[i-1].t
	return &t
}
