package product

import (
	"fmt"
	"math"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// phrase is one thing said in both languages of a package.
type phrase struct{ es, en string }

// What may be said about a place is said in these words only: a ledger's own notes name sensors and people, and stay.
var evidenceWords = map[string]phrase{
	"gas":         {"Gas medido desde el aire", "Gas measured from the air"},
	"signal":      {"Emisión de radio localizada", "Radio emission located"},
	"video":       {"Terreno visto en video", "Ground seen on video"},
	"report":      {"Informe de una persona", "Report by a person"},
	"spectral":    {"Gas visto en imágenes espectrales", "Gas seen in spectral images"},
	"thermal":     {"Calor visto desde el aire", "Heat seen from the air"},
	"mover":       {"Vehículos en movimiento", "Vehicles on the move"},
	"permit":      {"Permiso de una actividad legal", "Permit of a lawful activity"},
	"terrain":     {"Terreno, caminos y agua", "Ground, roads and water"},
	"prior":       {"Lo que se esperaba de antemano", "What was expected beforehand"},
	"dependence":  {"Descuento por indicios que no son independientes", "Discount for evidence that is not independent"},
	"time":        {"Tiempo transcurrido desde las observaciones", "Time since the observations"},
	"calibration": {"Corrección por calibración", "Correction by calibration"},
	"outcome":     {"Resultado de una visita anterior", "Outcome of an earlier visit"},
}

var otherEvidence = phrase{"Otros indicios", "Other evidence"}

// order of evidence on the page: what was sensed first, then what was assumed.
var evidenceOrder = []string{"gas", "spectral", "thermal", "signal", "video", "mover", "report", "permit", "outcome", "other", "prior", "terrain", "dependence", "time", "calibration"}

// alternativeWords are the named alternatives in both languages; any other label goes out as "another source".
var alternativeWords = map[string]phrase{
	"paint shop":                 {"taller de pintura", "paint shop"},
	"industry or paint shop":     {"industria o taller de pintura", "industry or paint shop"},
	"vehicles of other business": {"vehículos de otra actividad", "vehicles of other business"},
	"dwelling or ranch":          {"vivienda o rancho", "dwelling or ranch"},
	"other radio":                {"otra radio", "other radio"},
	"other activity":             {"otra actividad", "other activity"},
	"nothing there":              {"no hay nada", "nothing there"},
	"farm":                       {"granja", "farm"},
	"refinery":                   {"refinería", "refinery"},
	"burning":                    {"quema", "burning"},
	"open burning":               {"quema a cielo abierto", "open burning"},
	"landfill":                   {"vertedero", "landfill"},
	"sewage works":               {"planta de aguas residuales", "sewage works"},
	"wastewater":                 {"aguas residuales", "waste water"},
	"traffic":                    {"tráfico", "traffic"},
	"fuel station":               {"gasolinera", "fuel station"},
	"brick kiln":                 {"horno de ladrillos", "brick kiln"},
	"distillery":                 {"destilería", "distillery"},
	"tannery":                    {"curtiduría", "tannery"},
	"dry cleaner":                {"tintorería", "dry cleaner"},
	"factory":                    {"fábrica", "factory"},
	"oil and gas":                {"instalación de petróleo y gas", "oil and gas plant"},
	"gas leak":                   {"fuga de gas", "gas leak"},
	"radio amateur":              {"radioaficionado", "radio amateur"},
	"legitimate emitter":         {"emisor de radio legítimo", "legitimate radio emitter"},
	"communications":             {"instalación de comunicaciones", "communications site"},
	"nothing":                    {"no hay nada", "nothing there"},
	"nothing here":               {"no hay nada", "nothing there"},
}

var otherSource = phrase{"otra fuente", "another source"}

// plain brings a label to the form that the tables have.
func plain(label string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(label))), " ")
}

var notCalibrated = phrase{"sin calibrar: aún no hay palabra de probabilidad", "not calibrated: there is no word of likelihood yet"}

// strength says in words how much evidence of this log-odds (natural logarithm of a Bayes factor) weighs, and which way, by
// the table of R. E. Kass and A. E. Raftery, "Bayes factors", JASA 90 (1995), section 3.2, doi:10.1080/01621459.1995.10476572:
// 2 ln B from 0 to 2 barely worth a mention, to 6 positive, to 10 strong, above very strong.
func strength(logOdds float64) phrase {
	var much phrase
	switch b := math.Abs(logOdds); {
	case b < 0.05: // rounds to 0.0 on a ledger of one decimal
		return phrase{"ni a favor ni en contra", "neither for nor against"}
	case b < 1:
		much = phrase{"muy débil", "very weak"}
	case b < 3:
		much = phrase{"moderado", "positive"}
	case b < 5:
		much = phrase{"fuerte", "strong"}
	default:
		much = phrase{"muy fuerte", "very strong"}
	}
	if logOdds < 0 {
		return phrase{much.es + ", en contra", much.en + ", against"}
	}
	return phrase{much.es + ", a favor", much.en + ", for"}
}

// unknowns is what a package says about its own limits.
func unknowns(asOf string) []phrase {
	return []phrase{
		{"Un gas, una señal o un informe no es un lugar de actividad: no se sabe qué hay dentro.", "A gas, a signal or a report is not a site: what is inside is not known."},
		{"No se sabe quién está allí ni si el lugar está en uso ahora.", "Who is there, and whether it is in use now, is not known."},
		{"No incluye nada posterior al " + asOf + ".", "Nothing after " + asOf + " is taken into account."},
		{"Puede ser peligroso acercarse: gases o vapores.", "It may be unsafe to approach: gases or vapours."},
	}
}

// howSure says, apart from the likelihood, what stands behind a calibrated number.
func howSure(c atalaya.Candidate) []phrase {
	if c.Range == nil {
		return nil
	}
	from, to := probabilityText(c.Range[0]), probabilityText(c.Range[1])
	return []phrase{{fmt.Sprintf("La probabilidad se calibró con %d casos parecidos; con 90 %% de confianza está entre %s y %s.", c.Cases, from, to),
		fmt.Sprintf("The probability was calibrated on %d cases like this; with 90 %% confidence it lies between %s and %s.", c.Cases, from, to)}}
}
