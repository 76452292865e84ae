package check

import (
	"fmt"
	"slices"
	"strings"
)

// A Profile says how much each class weighs: what its table does not name weighs as in Classes.
type Profile struct {
	Name string
	Does string // one line
	of   map[code]Severity
}

// Default weighs what keeps a stream from being read or its times from being believed as errors, what else is against a standard
// or contradicts itself as warnings, and what is allowed but worth knowing as notes.
var Default = Profile{Name: "default", Does: "what keeps a stream from being read, or is untrue, is an error"}

var profiles = []Profile{
	Default,
	{Name: "0902", Does: "as default, and the minimum metadata set (ST 0902.8) with its security items must be whole",
		of: errors0902(map[code]Severity{})},
	{Name: "4609", Does: "as 0902, and the stream must be as STANAG 4609 (MISP, ST 1402) has it",
		of: errors0902(map[code]Severity{
			patRate: Error, pmtRate: Error, pidMissing: Error, pidUnreferenced: Error, pcrAccuracy: Error, duplicatePacket: Error, tableVersion: Error,
			klvType: Error, klvRegistration: Error, klvDescriptor: Error, klvSTDDescriptor: Error, klvStreamID: Error, klvTimed: Warning, klvAlignment: Warning,
			cellSequence: Error, cellFragment: Error, metadataMissing: Error, videoMissing: Error, metadataEarly: Error, metadataLate: Error,
			securityTwice: Error, videoCodec: Error, videoInterlaced: Error, videoUntimed: Warning, legacySet: Error,
			lengthForm: Error, tagForm: Error, textControl: Error, textPadding: Error, valueEnum: Error, valueRange: Error, numberForm: Warning,
			vmtiVersion: Error, vmtiCount: Error, vmtiFrame: Error, vmtiPixel: Error, vmtiID: Error,
		})},
	{Name: "read", Does: "only what keeps bytes from being read is an error",
		of: onlyUnreadable()},
}

func errors0902(of map[code]Severity) map[code]Severity {
	for _, c := range []code{minimumMissing, minimumStale, securityMissing, securityIncomplete, securityForm} {
		of[c] = Error
	}
	return of
}

func onlyUnreadable() map[code]Severity {
	of := map[code]Severity{}
	for c := range classes {
		switch {
		case classes[c].Unreadable && code(c) != cutPacket:
			of[code(c)] = Error
		case classes[c].Severity == Error:
			of[code(c)] = Warning
		}
	}
	return of
}

// Profiles lists the profiles.
func Profiles() []Profile { return slices.Clone(profiles) }

// ProfileNamed gives the profile of that name; the error lists those there are.
func ProfileNamed(name string) (Profile, error) {
	var names []string
	for _, p := range profiles {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("check: no profile %q; there are %s", name, strings.Join(names, ", "))
}

// Weighs is how much a class of that name weighs; ok is false where there is none.
func (p *Profile) Weighs(class string) (s Severity, ok bool) {
	for c := range classes {
		if classes[c].Name == class {
			return p.weighs(code(c)), true
		}
	}
	return Note, false
}

func (p *Profile) weighs(c code) Severity {
	if s, ok := p.of[c]; ok {
		return s
	}
	return classes[c].Severity
}
