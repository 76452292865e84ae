package cot

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A shape says how an element is an object of JSON: its attributes are members, text unless numbers or flags name them; children that may come once
// are objects, those that may repeat are lists, and those that hold text alone are members.
type shape struct {
	numbers, flags, texts []string
	one, many             map[string]shape
}

// The objects of the features that CloudTAK makes (dfpc-coe/node-CoT, test/fixtures), by the element that they stand for.
var (
	plain  = shape{}
	levels = map[string]shape{"level": {}}
	turns  = shape{numbers: []string{"roll", "pitch", "yaw", "eRoll", "ePitch", "eYaw"}}
	sensed = shape{numbers: []string{"batterylevel", "revision"}}
)

// object is a property that holds an element as an object.
type object struct {
	element, property string
	shape             shape
}

var objects = [...]object{
	{"creator", "creator", plain},
	{"fileshare", "fileshare", shape{numbers: []string{"sizeInBytes"}}},
	{"__geofence", "geofence", shape{flags: []string{"elevationMonitored"}}},
	{"__milsym", "milsym", plain},
	{"__milicon", "milicon", plain},
	{"sensor", "sensor", shape{numbers: []string{"elevation", "vfov", "north", "roll", "range", "azimuth", "fov"}}},
	{"ackrequest", "ackrequest", shape{flags: []string{"ackrequested"}}},
	{"takv", "takv", plain},
	{"__group", "group", plain},
	{"_flow-tags_", "flow", plain},
	{"status", "status", plain},
	{"precisionlocation", "precisionlocation", plain},
	{"mission", "mission", shape{one: map[string]shape{"missionLayer": {texts: []string{"name", "type", "parentUid", "uid"}}}}},
	{"spatial", "spatial", shape{numbers: []string{"version"}, one: map[string]shape{"attitude": turns, "spin": turns}}},
	{"radsensordetail", "radsensordetail", shape{
		one: map[string]shape{"sensor_data": sensed, "search_algorithm": {numbers: []string{"neutron_loc", "gamma_loc", "neutron_loc_alarm_value",
			"gamma_loc_alarm_value", "neutron_loc_alarm", "gamma_loc_alarm"}}},
		many: map[string]shape{"radmeasurement": {numbers: []string{"nalarmstddev", "alarm", "measurement"}}}}},
	{"chemsensordetail", "chemsensordetail", shape{one: map[string]shape{"sensor_data": sensed},
		many: map[string]shape{"detection": {numbers: []string{"quantity", "concentration", "alarm", "confidence", "id"}}}}},
	{"biosensordetail", "biosensordetail", shape{one: map[string]shape{"sensor_data": sensed},
		many: map[string]shape{"measurement": {numbers: []string{"channel", "dose", "confidence", "concentration"}, flags: []string{"harmful"}, many: levels}}}},
}

// video is apart: its child has another name than its member.
var video = shape{one: map[string]shape{"ConnectionEntry": {}}}

// value is an attribute as a value of JSON; ok is false where the attribute would not come back from it as it was, but for zeros of a number.
func (s shape) value(name, text string) (v any, ok bool) {
	switch {
	case slices.Contains(s.numbers, name):
		return number(text)
	case slices.Contains(s.flags, name):
		return flag(text)
	}
	return text, true
}

// number is a number of JSON in the digits of the text; a text that is no number stays text.
func number(text string) (v any, ok bool) {
	if json.Valid([]byte(text)) && decimalOnly(text) {
		return json.Number(text), true
	}
	n, is := parseNumber(text)
	if !is || !n.finite() {
		return text, true
	}
	return json.Number(strings.TrimSuffix(shortest(n.Value), ".0")), exact(strings.Trim(text, blanks), n.Value)
}

func decimalOnly(text string) bool {
	_, _, _, ok := decimal(text)
	return ok
}

func flag(text string) (v any, ok bool) {
	switch text {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return text, true
}

// object gives an element as an object; ok is false where something in it has no place there.
func (s shape) object(el *Element) (out map[string]any, ok bool) {
	out, ok = make(map[string]any, len(el.Attrs)), true
	for _, a := range el.Attrs {
		v, same := s.value(a.Name, a.Value)
		out[a.Name], ok = v, ok && same
	}
	for _, n := range el.Nodes {
		if n.Kind != Child {
			ok = ok && n.Kind == Text && strings.Trim(n.Text, blanks) == "" // of no meaning between elements that hold no text
			continue
		}
		ok = s.child(out, n.Child) && ok
	}
	return out, ok
}

// child puts a child into the object of its parent.
func (s shape) child(out map[string]any, el *Element) bool {
	had := out[el.Name]
	if inner, is := s.many[el.Name]; is {
		list, is := had.([]any)
		if had != nil && !is {
			return false
		}
		v, ok := inner.object(el)
		out[el.Name] = append(list, v)
		return ok
	}
	if had != nil {
		return false
	}
	if inner, is := s.one[el.Name]; is {
		v, ok := inner.object(el)
		out[el.Name] = v
		return ok
	}
	if slices.Contains(s.texts, el.Name) {
		v, ok := el.text()
		out[el.Name] = v
		return ok
	}
	return false
}

// text is the text in an element that has nothing else; ok is false where there is more.
func (el *Element) text() (s string, ok bool) {
	ok = len(el.Attrs) == 0
	var b strings.Builder
	for _, n := range el.Nodes {
		if n.Kind == Text {
			b.WriteString(n.Text)
		} else {
			ok = false
		}
	}
	return b.String(), ok
}

// element makes the element of an object; ok is false where XML has no place for something in it.
func (s shape) element(name string, of map[string]any) (el *Element, ok bool) {
	if !isName(name) {
		return nil, false
	}
	el = &Element{Name: name}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if !s.member(el, key, of[key]) {
			return nil, false
		}
	}
	return el, true
}

func (s shape) member(el *Element, key string, v any) bool {
	if !isName(key) {
		return false
	}
	if slices.Contains(s.texts, key) {
		text, ok := v.(string)
		el.Add(textElement(key, text))
		return ok && writable(text)
	}
	switch v := v.(type) {
	case map[string]any:
		inner, is := s.one[key]
		if !is {
			return false
		}
		child, ok := inner.element(key, v)
		if ok {
			el.Add(child)
		}
		return ok
	case []any:
		inner, is := s.many[key]
		for _, each := range v {
			of, isObject := each.(map[string]any)
			child, ok := inner.element(key, of)
			if !is || !isObject || !ok {
				return false
			}
			el.Add(child)
		}
		return is
	}
	text, ok := scalar(v)
	el.Attrs = append(el.Attrs, Attr{key, text})
	return ok
}

func textElement(name, text string) *Element {
	el := &Element{Name: name}
	if text != "" {
		el.Nodes = []Node{{Kind: Text, Text: text}}
	}
	return el
}

// scalar is a value of JSON as the text of an attribute.
func scalar(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, writable(v)
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}
