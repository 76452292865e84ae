package intake

import (
	"slices"

	"github.com/atalaya-isr/atalaya/sense/detection"
	"github.com/atalaya-isr/atalaya/sense/ground"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

// sheet looks at a sheet of detections, every row of it.
func (l *look) sheet() {
	l.is(Detections, "sheet of detections")
	s, problems, err := detection.Read(l.all(), l.name)
	if err != nil {
		l.failed(err)
		return
	}
	l.jsonProblems(problems)
	l.Summary["kind"], l.Summary["sensor"], l.Summary["detections"], l.Summary["looks"] = s.Kind, clean(s.Sensor), len(s.Found), len(s.Looks)
	if len(s.Found) > 0 {
		from, to := s.Found[0].Time, s.Found[0].Time
		for _, f := range s.Found {
			if f.Time.Before(from) {
				from = f.Time
			}
			if f.Time.After(to) {
				to = f.Time
			}
		}
		l.Summary["from"], l.Summary["to"] = from, to
	}
}

// layer looks at a GeoJSON FeatureCollection for what lies on the ground; most such files hold something else, which is nothing to tell.
func (l *look) layer() {
	s, problems, err := ground.Read(l.all(), l.name)
	if err != nil {
		l.failed(err)
		return
	}
	if len(s.Shapes) == 0 && len(s.Permits) == 0 && !slices.ContainsFunc(problems, func(p jsonfile.Problem) bool { return p.Lost }) {
		return
	}
	l.jsonProblems(problems)
	counts := map[ground.Kind]int{}
	for _, f := range s.Shapes {
		counts[f.Kind]++
	}
	if n := len(s.Permits); n > 0 {
		counts[ground.Permits] = n
	}
	l.Summary["ground"] = counts
}

func (l *look) jsonProblems(problems []jsonfile.Problem) {
	for _, p := range problems {
		if p.Lost {
			l.lost(p.At, "%s", p.What)
		} else {
			l.note(p.At, "%s", p.What)
		}
	}
}
