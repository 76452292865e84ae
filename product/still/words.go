package still

import "strings"

// words are what a sheet says, in its two languages. Mexican Spanish writes the decimal point as English does.
var words = map[string][2]string{
	"frame":              {"Frame of a video", "Cuadro de un video"},
	"chip":               {"Part of a frame", "Parte de un cuadro"},
	"storyboard":         {"Storyboard of a video", "Guion gráfico de un video"},
	"mosaic":             {"Mosaic of a video", "Mosaico de un video"},
	"label.file":         {"file", "archivo"},
	"label.time":         {"time", "hora"},
	"label.platform":     {"platform", "plataforma"},
	"label.center":       {"frame center", "centro"},
	"label.middle":       {"middle of part", "su centro"},
	"label.error":        {"error, 95 %", "error, 95 %"},
	"label.sensor":       {"sensor", "sensor"},
	"label.scale":        {"scale", "escala"},
	"label.part":         {"part", "parte"},
	"label.box":          {"its ground", "su terreno"},
	"label.picture":      {"picture", "imagen"},
	"label.made":         {"made", "hecho"},
	"label.span":         {"time", "hora"},
	"label.registered":   {"registration", "registro"},
	"label.anchored":     {"ground", "terreno"},
	"label.extent":       {"extent", "extensión"},
	"sha":                {"{file} · {bytes} bytes · SHA-256 {sha}…", "{file} · {bytes} bytes · SHA-256 {sha}…"},
	"sha alone":          {"{bytes} bytes · SHA-256 {sha}…", "{bytes} bytes · SHA-256 {sha}…"},
	"stream":             {"stream time {pts}", "hora del flujo {pts}"},
	"between":            {"between two metadata packets", "entre dos paquetes de metadatos"},
	"its own":            {"its own metadata", "metadatos propios"},
	"nearest":            {"metadata {age} away", "metadatos a {age}"},
	"no utc":             {"no UTC in the metadata", "sin UTC en los metadatos"},
	"no metadata":        {"no metadata within a second", "sin metadatos a menos de un segundo"},
	"mission":            {"mission {name}", "misión {name}"},
	"tail":               {"tail number {name}", "matrícula {name}"},
	"not named":          {"not named in the metadata", "sin nombre en los metadatos"},
	"ellipse":            {"ellipse of semi-axes {major} × {minor}, the major one at {azimuth}", "elipse de semiejes {major} × {minor}, el mayor a {azimuth}"},
	"ellipse drawn":      {"drawn dashed", "dibujada a trazos"},
	"by ray":             {"by ray, ground from {ground}", "por rayo, terreno de {ground}"},
	"reported":           {"as the metadata reports it", "como lo dicen los metadatos"},
	"error unknown":      {"not known: written to about 100 m", "no se conoce: escrito a unos 100 m"},
	"sensor at":          {"{place} · range {range} · looks to {azimuth}", "{place} · alcance {range} · mira a {azimuth}"},
	"fov":                {"field of view {h} × {v}", "campo de visión {h} × {v}"},
	"per pixel":          {"1 px = {x} across, {y} down, in the middle", "1 px = {x} a lo ancho, {y} a lo alto, en el centro"},
	"across":             {"{length} across, in the middle", "{length} a lo ancho, en el centro"},
	"ground length":      {"{length}", "{length}"},
	"north":              {"N", "N"},
	"grid north":         {"grid north", "norte de cuadrícula"},
	"part of":            {"x {x}, y {y}, {w} × {h} px of {fw} × {fh}", "x {x}, y {y}, {w} × {h} px de {fw} × {fh}"},
	"box":                {"{w} × {h}, corners from upper left: {corners}", "{w} × {h}, esquinas desde la superior izquierda: {corners}"},
	"drawn":              {"{w} × {h} px", "{w} × {h} px"},
	"enlarged":           {"each pixel drawn {k} × {k}, not smoothed", "cada píxel dibujado {k} × {k}, sin suavizar"},
	"fields":             {"made whole from fields, {order}", "entrelazado deshecho, {order}"},
	"top field first":    {"top field first", "campo superior primero"},
	"made":               {"{program}{by}", "{program}{by}"},
	"made by":            {" for {name}", " para {name}"},
	"working":            {"Working picture: not for release without review.", "Imagen de trabajo: no se divulga sin revisión."},
	"why.none":           {"No scale: no metadata within a second of this frame.", "Sin escala: no hay metadatos a menos de un segundo de este cuadro."},
	"why.blind":          {"No scale: the metadata does not say where the camera looks.", "Sin escala: los metadatos no dicen hacia dónde mira la cámara."},
	"why.contradicts":    {"No scale: the metadata contradicts itself.", "Sin escala: los metadatos se contradicen."},
	"why.sky":            {"No scale: the middle shows no ground.", "Sin escala: el centro no muestra terreno."},
	"why.grazing":        {"No scale: the ground is seen edge-on.", "Sin escala: el terreno se ve de canto."},
	"bottom field first": {"bottom field first", "campo inferior primero"},

	"frame center height": {"the metadata's height", "la altura de los metadatos"},
	"slant range":         {"the slant range", "la distancia oblicua"},

	"registered":     {"{laid} frames laid of {n} registered, from frame to frame to {rms} px", "{laid} cuadros puestos de {n} registrados, de cuadro a cuadro a {rms} px"},
	"cuts":           {"cuts: {n}", "cortes: {n}"},
	"seams":          {"neighbours meet to {px} px of the mosaic", "vecinos coinciden a {px} px del mosaico"},
	"seams ground":   {"neighbours meet to {m} ({px} px of the mosaic)", "vecinos coinciden a {m} ({px} px del mosaico)"},
	"anchored":       {"each frame tied to the metadata of up to {s} s to each side, which scatters by {m} (RMS)", "cada cuadro atado a los metadatos de hasta {s} s a cada lado, que se dispersan {m} (RMS)"},
	"unanchored":     {"not known: on the plane of the frame at {pts}, by registration alone, whose drift nothing bounds", "no se conoce: en el plano del cuadro de {pts}, solo por registro, cuya deriva nada limita"},
	"why.unanchored": {"No scale and no north: nothing tells the ground of these frames.", "Sin escala ni norte: nada dice el terreno de estos cuadros."},
	"as a whole":     {"of the mosaic as a whole", "del mosaico en su conjunto"},
	"pixel is":       {"1 px = {m}", "1 px = {m}"},
	"reduced":        {"shown at {w} × {h}", "mostrada a {w} × {h}"},
	"reported short": {"reported, error not known", "reportado, error no conocido"},

	"frames of":   {"{n} frames, {from} to {to}", "{n} cuadros, {from} a {to}"},
	"map":         {"Ground seen, by number", "Terreno visto, por número"},
	"map.none":    {"No frame has a place: no map.", "Ningún cuadro tiene lugar: sin mapa."},
	"map.some":    {"{n} of {all} frames have a place", "{n} de {all} cuadros tienen lugar"},
	"map.horizon": {"dashed: drawn to 50 km, the view goes on to the horizon", "a trazos: dibujado hasta 50 km, la vista sigue al horizonte"},
	"key.hatch":   {"hatched: not looked at", "rayado: sin observar"},
	"key.path":    {"path of the sensor", "trayecto del sensor"},
	"no place":    {"no place", "sin lugar"},
	"per px":      {"{x} a px", "{x} por px"},
}

// A tongue is the language of a sheet: "en" or "es"; empty is English.
type tongue string

// say is what a sheet says for a key, with values put in for {names}. What is no key is said as it is.
func (t tongue) say(key string, values ...string) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	text := w[0]
	if t == "es" {
		text = w[1]
	}
	pairs := make([]string, len(values))
	for i, v := range values {
		pairs[i] = v
		if i%2 == 0 {
			pairs[i] = "{" + v + "}"
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
