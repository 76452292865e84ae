package atalaya

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// setAside are the attributes of ISM that say when, why and by whom something was classified, or point out a notice: no part of a marking.
var setAside = []string{"DESVersion", "ISMCATCESVersion", "classificationReason", "classifiedBy", "compilationReason", "compliesWith", "createDate", "declassDate", "declassEvent",
	"declassException", "derivativelyClassifiedBy", "derivedFrom", "excludeFromRollup", "exemptFrom", "externalNotice", "hasApproximateMarkings", "noticeDate", "noticeReason",
	"noticeType", "pocType", "resourceElement", "unregisteredNoticeType"}

// ParseAttributes reads a marking from the attributes of ISM by their names, each a list of tokens with spaces between.
func ParseAttributes(attributes map[string]string) (Marking, error) {
	var m Marking
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := m.addAttribute(name, strings.Fields(attributes[name])); err != nil {
			return Marking{}, err
		}
	}
	if m.class == Unmarked {
		return Marking{}, badMarking("classification", "attributes without a classification mark nothing")
	}
	m.settle()
	return m, nil
}

func (m *Marking) addAttribute(name string, tokens []string) error {
	into := map[string]*[]string{"releasableTo": &m.rel, "displayOnlyTo": &m.display, "FGIsourceOpen": &m.fgi}
	for _, t := range tokens {
		ok := false
		switch name {
		case "classification":
			c := classOf(t)
			m.class, ok = max(m.class, c), c != Unmarked
		case "ownerProducer":
			if ok = countryCode(t); ok && t != "USA" {
				m.fgi = append(m.fgi, t)
			}
		case "releasableTo", "displayOnlyTo", "FGIsourceOpen":
			ok = countryCode(t)
			*into[name] = append(*into[name], t)
		case "FGIsourceProtected":
			m.controls |= fgiHidden
			ok = true
		case "SCIcontrols", "SARIdentifier", "atomicEnergyMarkings":
			ok = m.addCompartment(name, t)
		case "disseminationControls", "nonICmarkings":
			for _, c := range controls {
				if t == c.token && c.nonIC == (name == "nonICmarkings") {
					m.controls |= c.bit
					ok = true
				}
			}
		default:
			ok = slices.Contains(setAside, name)
		}
		if !ok {
			return badMarking(fmt.Sprintf("%.40s=%.40q", name, t), "this attribute or its value is not known here")
		}
	}
	return nil
}

// addCompartment takes a token of a compartment, which the text of a portion would spell alike.
func (m *Marking) addCompartment(name, token string) bool {
	n := len(m.sci) + len(m.sar) + len(m.aea)
	if name == "SARIdentifier" && !strings.HasPrefix(token, "SAR-") {
		token = "SAR-" + token
	}
	return m.add(token) == nil && len(m.sci)+len(m.sar)+len(m.aea) == n+1
}

// Attributes writes a marking as those of ISM, each a list of tokens with spaces between, in the order of the register; what is not there has no key. TLP and
// SYNTHETIC are no attributes of ISM.
func (m Marking) Attributes() map[string]string {
	out := map[string]string{}
	put := func(name string, tokens []string) {
		if len(tokens) > 0 {
			out[name] = strings.Join(tokens, " ")
		}
	}
	if m.class == Unmarked {
		return out
	}
	out["classification"], out["ownerProducer"] = classNames[m.class].portion, "USA"
	put("SCIcontrols", m.sci)
	var programmes []string
	for _, p := range m.sar {
		programmes = append(programmes, strings.TrimPrefix(p, "SAR-"))
	}
	put("SARIdentifier", programmes)
	put("atomicEnergyMarkings", m.aea)
	put("FGIsourceOpen", m.fgi)
	if m.controls&fgiHidden != 0 {
		out["FGIsourceProtected"] = "FGI"
	}
	var dissem, nonIC []string
	for _, c := range controls {
		switch {
		case m.controls&c.bit == 0:
		case c.nonIC:
			nonIC = append(nonIC, c.token)
		default:
			dissem = append(dissem, c.token)
		}
	}
	put("disseminationControls", dissem)
	put("releasableTo", m.rel)
	put("displayOnlyTo", m.display)
	put("nonICmarkings", nonIC)
	return out
}
