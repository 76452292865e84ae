package figure

import (
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// words are what a sheet says, in its two languages. Mexican Spanish writes the decimal point as English does.
var words = map[string][2]string{
	"title":             {"Gas survey", "Vuelo de gas"},
	"group":             {"group", "grupo"},
	"samples":           {"{n} samples", "{n} muestras"},
	"thinned":           {"{k} of {n} samples drawn, the highest and lowest of each stretch", "{k} de {n} muestras dibujadas, la más alta y la más baja de cada tramo"},
	"seconds":           {"seconds after the start; no date given", "segundos desde el inicio; sin fecha"},
	"north":             {"N", "N"},
	"datum":             {"WGS 84", "WGS 84"},
	"local":             {"local metres, no datum", "metros locales, sin datum"},
	"origin":            {"metres from {lat}, {lon}", "metros desde {lat}, {lon}"},
	"grid":              {"grid {step}", "cuadrícula {step}"},
	"key.region":        {"50 and 90 % region of a source, estimated", "región de 50 y 90 % de una fuente, estimada"},
	"key.heat":          {"posterior density", "densidad posterior"},
	"key.leg":           {"leg advised", "tramo aconsejado"},
	"key.hatch":         {"not looked at", "sin observar"},
	"key.barb":          {"wind: half 2.5, full 5 m/s; wedge ± 1 sigma", "viento: media 2.5, entera 5 m/s; ± 1 sigma"},
	"key.excess":        {"{compound} over its baseline, {unit}", "{compound} sobre su línea base, {unit}"},
	"key.limit":         {"{compound}: a source stays below this rate, {p} % sure, kg/s", "{compound}: una fuente queda bajo esta tasa, {p} % seguro, kg/s"},
	"baseline":          {"baseline", "línea base"},
	"below":             {"below detection limit", "bajo límite de detección"},
	"count":             {"How many sources", "Cuántas fuentes"},
	"count.of":          {"probability of so many sources", "probabilidad de ese número de fuentes"},
	"source":            {"Source {k}", "Fuente {k}"},
	"place":             {"{where}, 95 % within {major} × {minor}", "{where}, 95 % dentro de {major} × {minor}"},
	"height":            {"height {p50} m ({p05} to {p95})", "altura {p50} m ({p05} a {p95})"},
	"rates":             {"Rates: median and 5 to 95 %", "Tasas: mediana y 5 a 95 %"},
	"none":              {"No source found", "No se halló fuente"},
	"none.limit":        {"Where not hatched, a source of {compound} above {lo} to {hi}, by place, would have shown ({p} %). The map says where.", "Donde no hay rayado, una fuente de {compound} mayor que {lo} a {hi}, según el lugar, se habría notado ({p} %). El mapa dice dónde."},
	"dispersion":        {"Spread of the plume, learned from the survey", "Dispersión de la pluma, aprendida del vuelo"},
	"assumed":           {"No plume was seen: it was taken to spread as usual in such weather.", "No se vio pluma: se supuso la dispersión usual con ese tiempo."},
	"sigma_y":           {"width factor", "factor de anchura"},
	"sigma_z":           {"depth factor", "factor de espesor"},
	"bias":              {"wind bias, degrees", "sesgo del viento, grados"},
	"fluctuation":       {"fluctuation", "fluctuación"},
	"dominant":          {"Rests most on: {what}", "Depende sobre todo de: {what}"},
	"rate.below":        {"{p} % of it lies below", "{p} % queda por debajo"},
	"leans.of":          {"share of the place (bar) · of the rate (thin)", "parte del lugar (barra) · de la tasa (fina)"},
	"effective":         {"Independent samples: {n} of {all}", "Muestras independientes: {n} de {all}"},
	"more":              {"and {n} more", "y {n} más"},
	"working":           {"Working figure. Gas, not a laboratory: paint shops, farms and burning give gas too. Not for release without review.", "Figura de trabajo. Gas, no un laboratorio: talleres de pintura, granjas y quemas también emiten. No se divulga sin revisión."},
	"wind direction":    {"wind direction", "dirección del viento"},
	"wind speed":        {"wind speed", "velocidad del viento"},
	"source height":     {"source height", "altura de la fuente"},
	"background":        {"background", "fondo"},
	"model error":       {"model error", "error del modelo"},
	"sensor lag":        {"sensor lag", "retardo del sensor"},
	"lag":               {"lag of the sensor, s", "retardo del sensor, s"},
	"dispersion factor": {"dispersion", "dispersión"},
	"own samples":       {"the samples themselves", "las muestras mismas"},

	// What would make an assumption matter less, as the gas room says it (gas.reduce.* of its catalogue, held equal by a test).
	"reduce.wind direction": {"Less of it: wind measured beside the flight at the height of the plume, or legs at two distances, whose shift shows the bias.", "Para reducirlo: viento medido junto al vuelo a la altura de la pluma, o tramos a dos distancias, cuyo desfase muestra el sesgo."},
	"reduce.wind speed":     {"Less of it: wind measured at the height of the plume; its error is an error of the rate.", "Para reducirlo: viento medido a la altura de la pluma; su error es error de la tasa."},
	"reduce.dispersion":     {"Less of it: turbulence measured with the wind, or legs at two distances and two heights, which show how fast the plume spreads.", "Para reducirlo: turbulencia medida con el viento, o tramos a dos distancias y dos alturas, que muestran cuán rápido se abre la pluma."},
	"reduce.source height":  {"Less of it: a crossing near the source at two or three heights.", "Para reducirlo: un cruce cerca de la fuente a dos o tres alturas."},
	"reduce.background":     {"Less of it: a leg upwind, out of every plume, with the same instrument.", "Para reducirlo: un tramo a barlovento, fuera de toda pluma, con el mismo instrumento."},
	"reduce.sensor lag":     {"Less of it: legs flown in both directions, and a clock and an inlet whose delay is known.", "Para reducirlo: tramos en ambos sentidos, y un reloj y una toma cuyo retardo se conozca."},
	"reduce.model error":    {"Less of it: more crossings of the plume over a longer time, so that its meanders average out.", "Para reducirlo: más cruces de la pluma en más tiempo, de modo que sus meandros se promedien."},
	"reduce.samples":        {"Less of it: more samples inside the plume; the leg advised says where.", "Para reducirlo: más muestras dentro de la pluma; el tramo aconsejado dice dónde."},

	// Drawings of a score.
	"reliability.title":      {"What was said, and how often it came true", "Lo dicho y cuántas veces se cumplió"},
	"reliability.x":          {"mean probability of the candidates of a word", "probabilidad media de los candidatos de una palabra"},
	"reliability.y":          {"share of them that were sites", "parte de ellos que eran sitios"},
	"reliability.note":       {"{n} campaigns. Bars are 95 % intervals of the share; on the dashed line what is said comes true.", "{n} campañas. Las barras son intervalos de 95 % de la parte; en la línea discontinua lo dicho se cumple."},
	"precision-recall.title": {"Precision by recall", "Precisión según cobertura"},
	"precision-recall.x":     {"share of the sites found", "parte de los sitios hallados"},
	"precision-recall.y":     {"share of the candidates so far that are sites", "parte de los candidatos hasta ahí que son sitios"},
	"precision-recall.note":  {"{n} campaigns, their candidates in one ranking.", "{n} campañas, sus candidatos en una sola lista."},
	"area.title":             {"Ground to be searched", "Terreno por buscar"},
	"area.x":                 {"km² a campaign, the likeliest ground first", "km² por campaña, primero el terreno más probable"},
	"area.y":                 {"share of the sites met", "parte de los sitios encontrados"},
	"area.note":              {"{n} campaigns. Ground of which nothing is known comes when its probability before any evidence is reached.", "{n} campañas. El terreno del que nada se sabe entra cuando se alcanza su probabilidad previa a toda evidencia."},

	// How the plume was taken to spread: the words of the estimator are the keys (gas.method.* of the catalogue).
	"Briggs rural, between classes":                      {"Briggs rural, between classes", "Briggs rural, entre clases"},
	"turbulence of the wind log across, Briggs rural up": {"Turbulence of the wind log across, Briggs rural up", "Turbulencia del registro de viento a lo ancho, Briggs rural en vertical"},
	"measured turbulence":                                {"Measured turbulence", "Turbulencia medida"},
	"measured turbulence across, Briggs rural up":        {"Measured turbulence across, Briggs rural up", "Turbulencia medida a lo ancho, Briggs rural en vertical"},
}

// warnings are the Spanish of what the estimator warns of, by code (note.* of the catalogue, held equal by a test).
var warnings = map[string]string{
	"survey-skipped":       "se pasaron por alto {n} muestras sin lugar, viento o valor",
	"survey-calm":          "viento medio bajo 1 m/s: una pluma estable no se sostiene; lea la región como demasiado pequeña",
	"survey-weak-wind":     "viento medio de {speed} m/s, bajo 1.5 m/s: el gas se estanca y serpentea más que una pluma estable; lea la región como demasiado pequeña",
	"survey-turning":       "el viento giró mientras el gas venía en camino, hasta {turn} grados en {travel} s, y más de 15 para el {share} % de lo medido en gas: una pluma estable no sigue eso; lea la región como demasiado pequeña",
	"survey-mostly-below":  "{below} de {n} valores de {compound} ({share} %) quedan bajo el límite de detección: dicen dónde no hay gas, y los otros {rest} sostienen lo demás de la respuesta",
	"survey-wind-reversed": "con el viento girado media vuelta el vuelo se explica mejor, {odds} a 1: quizá dice hacia dónde en vez de desde dónde. Aclárelo antes de usar lugar alguno de esta respuesta",
}

// noted says a warning in the language of the sheet.
func noted(language string, s atalaya.Sentence) string {
	line, ok := warnings[s.Code]
	if language != "es" || !ok {
		return s.English()
	}
	var pairs []string
	for _, name := range atalaya.Placeholders(line) {
		pairs = append(pairs, "{"+name+"}", s.Values[name])
	}
	return strings.NewReplacer(pairs...).Replace(line)
}

// said is what a sheet says for a key, with values put in for {names}.
func said(language, key string, values ...string) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	text := w[0]
	if language == "es" {
		text = w[1]
	}
	for i := 0; i+1 < len(values); i += 2 {
		values[i] = "{" + values[i] + "}"
	}
	return strings.NewReplacer(values...).Replace(text)
}

// assumption is the word for what an estimate rests on; "dispersion" is a heading too.
func assumption(language, name string) string {
	switch name {
	case "dispersion":
		name = "dispersion factor"
	case "samples":
		name = "own samples"
	}
	return said(language, name)
}
