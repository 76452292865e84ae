package fingerprint_test

import (
	"fmt"
	"strings"

	"github.com/atalaya-isr/atalaya/locate/fingerprint"
)

// SYNTHETIC: a plume of what evaporates from a filling station, measured by eight channels. The shares are those of petrol
// vapour as textbooks have it: mostly butanes and pentanes, little that is aromatic.
func ExampleClassify() {
	c := &fingerprint.Composition{}
	for _, a := range []struct {
		name, cas string
		ppb       float64
	}{
		{"n_butane", "106-97-8", 30}, {"isobutane", "75-28-5", 8}, {"n_pentane", "109-66-0", 10}, {"isopentane", "78-78-4", 34},
		{"benzene", "71-43-2", 1}, {"toluene", "108-88-3", 2}, {"ethylene", "74-85-1", 0}, {"acetylene", "74-86-2", 0},
	} {
		c.Amounts = append(c.Amounts, fingerprint.Amount{Channel: fingerprint.Channel{Name: a.name, CAS: []string{a.cas}}, Excess: a.ppb, SE: 0.05, Seen: a.ppb > 0})
	}
	_, answer, err := fingerprint.Classify(fingerprint.Builtin(), c, fingerprint.Options{Seed: 1, Trees: 40, InnerTrees: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Classes[0].Class, answer.Classes[0].Probability > 2*answer.Classes[1].Probability)
	fmt.Println("none of these:", answer.NoneOfThese < 0.2)
	// Output:
	// gasoline_vapour true
	// none of these: true
}

func ExampleReadTarget() {
	target, err := fingerprint.ReadTarget(fingerprint.Table{Name: "wanted.json", From: strings.NewReader(`{
		"schema": "atalaya.target/1", "name": "SYNTHETIC wanted", "marking": "(U//SYNTHETIC)",
		"provenance": "SYNTHETIC: invented for this page",
		"parts": [{"cas": "67-64-1", "name": "acetone", "share": 3, "sd": 1}, {"cas": "108-88-3", "name": "toluene", "share": 1, "sd": 0.5}]
	}`)})
	fmt.Println(target.Name, target.Marking.Portion(), target.Parts[0].CAS, target.Parts[0].Share, err)
	// Output: SYNTHETIC wanted (U//SYNTHETIC) [67-64-1] 0.75 <nil>
}
