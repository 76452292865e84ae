package plan

import (
	"fmt"
	"math"
)

var advisory = Words{
	EN: "Advice for the person who plans the flight; it is sent to no aircraft. Obstacles, other traffic and the rules of the air are not known here.",
	ES: "Consejo para la persona que planea el vuelo; no se envía a ninguna aeronave. Aquí no se conocen obstáculos, otro tráfico ni las reglas del aire.",
}

// why says in words what a leg is for: what is least known now, and what the leg does about it.
func (j *judge) why(s score, p pattern) Words {
	at, w := j.belief.places(nil)
	sp := spreadOf(at, w)
	deviation := func(d [2]float64) float64 {
		return math.Sqrt(max(d[0]*d[0]*sp.xx+2*d[0]*d[1]*sp.xy+d[1]*d[1]*sp.yy, 0))
	}
	mid := [2]float64{(s.leg.From[0] + s.leg.To[0]) / 2, (s.leg.From[1] + s.leg.To[1]) / 2}
	a, _ := p.coordinates(mid)
	b, _ := p.coordinates(sp.mean)
	downwind := a - b
	var out Words
	switch {
	case s.leg.Kind == Background:
		out = Words{fmt.Sprintf("Across the wind, upwind of the places held possible: tells the background, and whether gas comes from farther upwind. P(gas met) %.2f.", s.detect),
			fmt.Sprintf("Transversal al viento, a barlovento de los lugares posibles: mide el fondo y si llega gas desde más a barlovento. P(encontrar gas) %.2f.", s.detect)}
	case !j.belief.found:
		out = Words{fmt.Sprintf("Nothing was found yet: of the legs allowed this one could show most, for its time, of where a source may still be. P(gas met) %.2f.", s.detect),
			fmt.Sprintf("Aún no se encontró nada: de los tramos permitidos, este podría mostrar más, por su tiempo, de dónde puede haber aún una fuente. P(encontrar gas) %.2f.", s.detect)}
	case s.leg.Kind == AlongPlume:
		out = Words{fmt.Sprintf("Along the plume: the distance at which the gas begins tells how far upwind the source lies (now ±%.0f m). P(gas met) %.2f.", deviation(p.along), s.detect),
			fmt.Sprintf("A lo largo de la pluma: dónde empieza el gas dice a qué distancia a barlovento está la fuente (ahora ±%.0f m). P(encontrar gas) %.2f.", deviation(p.along), s.detect)}
	case downwind >= 0:
		out = Words{fmt.Sprintf("Across the plume %.0f m downwind of the middle of the places held possible, which are known to ±%.0f m along the wind and ±%.0f m across it. P(gas met) %.2f.", downwind, deviation(p.along), deviation(p.left), s.detect),
			fmt.Sprintf("A través de la pluma, %.0f m a sotavento del centro de los lugares posibles, conocidos a ±%.0f m a lo largo del viento y ±%.0f m de través. P(encontrar gas) %.2f.", downwind, deviation(p.along), deviation(p.left), s.detect)}
	default:
		out = Words{fmt.Sprintf("Across the wind %.0f m upwind of the middle of the places held possible (±%.0f m along the wind): gas met or not met parts the places before from those behind. P(gas met) %.2f.", -downwind, deviation(p.along), s.detect),
			fmt.Sprintf("Transversal al viento, %.0f m a barlovento del centro de los lugares posibles (±%.0f m a lo largo del viento): encontrar gas o no separa los lugares de un lado y del otro. P(encontrar gas) %.2f.", -downwind, deviation(p.along), s.detect)}
	}
	return out
}
