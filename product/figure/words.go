package figure

import "strings"

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
	"key.barb":          {"wind: half 2.5, full 5 m/s; wedge ± 1 sigma", "viento: media 2.5, entera 5 m/s; sector ± 1 sigma"},
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
	"effective":         {"Independent samples: {n} of {all}", "Muestras independientes: {n} de {all}"},
	"more":              {"and {n} more compounds: see the table", "y {n} compuestos más: véase la tabla"},
	"working":           {"Working figure. Gas, not a laboratory: paint shops, farms and burning give gas too. Not for release without review.", "Figura de trabajo. Gas, no un laboratorio: talleres de pintura, granjas y quemas también emiten. No se divulga sin revisión."},
	"wind direction":    {"wind direction", "dirección del viento"},
	"wind speed":        {"wind speed", "velocidad del viento"},
	"source height":     {"source height", "altura de la fuente"},
	"background":        {"background", "fondo"},
	"model error":       {"model error", "error del modelo"},
	"dispersion factor": {"dispersion", "dispersión"},
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
	if name == "dispersion" {
		name = "dispersion factor"
	}
	return said(language, name)
}
