package product

import (
	"fmt"
	"strconv"
)

// language picks one half of a phrase.
type language func(phrase) string

var languages = [...]language{
	func(p phrase) string { return p.es },
	func(p phrase) string { return p.en },
}

// section is a titled list of lines on the page.
type section struct {
	title string
	lines []string
}

// sections is what the lead says in one language, in the order of the page.
func (l *lead) sections(in language) []section {
	out := []section{{in(phrase{"Qué y dónde", "What and where"}), l.facts(in)}}
	if len(l.evidence) > 0 {
		s := section{title: in(phrase{"Indicios, a favor y en contra", "Evidence, for and against"})}
		for _, e := range l.evidence {
			line := in(e.what) + ": " + in(e.strength)
			if e.grade != "" {
				line += in(phrase{" (evaluación ", " (grade "}) + e.grade + ")"
			}
			s.lines = append(s.lines, line)
		}
		out = append(out, s)
	}
	if len(l.alternatives) > 0 {
		s := section{title: in(phrase{"Otras explicaciones", "Alternatives"})}
		for _, a := range l.alternatives {
			s.lines = append(s.lines, in(a.what)+": "+strconv.FormatFloat(a.share, 'f', 2, 64))
		}
		out = append(out, s)
	}
	s := section{title: in(phrase{"Lo que no se sabe", "What is not known"})}
	for _, u := range l.unknown {
		s.lines = append(s.lines, in(u))
	}
	return append(out, s, section{in(phrase{"Condiciones", "Terms"}), l.terms(in)})
}

func (l *lead) facts(in language) []string {
	lines := []string{
		in(phrase{"Centro (WGS 84): ", "Centre (WGS 84): "}) + l.latText(l.centre) + ", " + l.lonText(l.centre),
		fmt.Sprintf(in(phrase{"Radio del 50 %%: unos %.0f m; las coordenadas no son más finas", "Radius of 50 %%: about %.0f m; coordinates are no finer"}), l.errorM),
		in(phrase{"Probabilidad: ", "Probability: "}) + l.probability + " (" + in(l.likelihood()) + ")",
		in(phrase{"Evaluado con lo observado hasta: ", "Assessed on what was seen until: "}) + l.asOf,
	}
	for _, r := range l.rates {
		lines = append(lines, fmt.Sprintf("%s: %s–%s g/s (90 %%)", r.compound, grams(r.p05), grams(r.p95)))
	}
	return lines
}

// grams writes a rate of kg/s, already of two significant digits, in g/s.
func grams(kgS float64) string {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(kgS*1000, 'g', 2, 64), 64)
	return strconv.FormatFloat(y, 'f', -1, 64)
}

func (l *lead) terms(in language) []string {
	return []string{
		in(phrase{"Revisado y aprobado por dos personas distintas", "Reviewed and approved by two different people"}),
		in(phrase{"Para: ", "For: "}) + l.recipient + in(phrase{"; entregado el ", "; released on "}) + l.released + in(phrase{"; válido hasta ", "; valid until "}) + l.expires,
		in(phrase{"Base legal: ", "Legal basis: "}) + l.instrument,
		in(phrase{"Referencia para responder: ", "Reference for the answer: "}) + l.ref,
	}
}
