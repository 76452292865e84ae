package still_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/product/still"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// security is a packet with a security set of these items.
func security(t testing.TB, items ...klv.Value) *klv.Set {
	t.Helper()
	b, err := klv.Encode0601(klv.Time(2, start), klv.SetOf(48, items...))
	if err != nil {
		t.Fatal(err)
	}
	s, err := klv.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestNeverLowerThanTheStreamSays(t *testing.T) {
	class := func(n int64) klv.Value { return klv.Integer(1, n) }
	iso2, us := klv.Integer(2, 1), klv.TextOf(3, "//US")
	for name, row := range map[string]struct {
		sets  [][]klv.Value
		given string
		want  string
	}{
		"nothing said, nothing given":                   {nil, "", "UNCLASSIFIED//FOUO"},
		"nothing said":                                  {nil, "U//SYNTHETIC", "UNCLASSIFIED//SYNTHETIC"},
		"the stream alone":                              {[][]klv.Value{{class(1), iso2, us}}, "", "UNCLASSIFIED"},
		"a higher one given":                            {[][]klv.Value{{class(1), iso2, us}}, "S//NF", "SECRET//NOFORN"},
		"a lower one given":                             {[][]klv.Value{{class(4), iso2, us}}, "U", "SECRET"},
		"the highest of a stream":                       {[][]klv.Value{{class(1)}, {class(5)}, {class(3)}}, "U//SYNTHETIC", "TOP SECRET//SYNTHETIC"},
		"a caveat that is known":                        {[][]klv.Value{{class(4), klv.TextOf(5, "NOFORN")}}, "", "SECRET//NOFORN"},
		"a caveat in lower case":                        {[][]klv.Value{{class(1), klv.TextOf(5, "fouo")}}, "", "UNCLASSIFIED//FOUO"},
		"a caveat that is not known":                    {[][]klv.Value{{class(1), klv.TextOf(5, "BREEZE")}}, "U//REL TO USA, MEX", "UNCLASSIFIED//NOFORN//BREEZE"},
		"a caveat that does not say to whom":            {[][]klv.Value{{class(1), klv.TextOf(5, "EYES")}}, "U//REL TO USA, MEX", "UNCLASSIFIED//NOFORN"},
		"a compartment":                                 {[][]klv.Value{{class(5), klv.TextOf(4, "MADE//")}}, "", "TOP SECRET//MADE"},
		"released to two":                               {[][]klv.Value{{class(3), iso2, us, klv.TextOf(6, "US MX")}}, "", "CONFIDENTIAL//REL TO USA, MEX"},
		"released to three letters":                     {[][]klv.Value{{class(3), klv.Integer(2, 14), klv.TextOf(3, "//USA"), klv.TextOf(6, "USA MEX")}}, "", "CONFIDENTIAL//REL TO USA, MEX"},
		"lists intersect":                               {[][]klv.Value{{class(3), iso2, us, klv.TextOf(6, "US MX CA")}}, "C//REL TO USA, MEX", "CONFIDENTIAL//REL TO USA, MEX"},
		"released to none but its own":                  {[][]klv.Value{{class(1), iso2, us, klv.TextOf(6, "US")}}, "", "UNCLASSIFIED//NOFORN"},
		"codes of another list":                         {[][]klv.Value{{class(4), klv.Integer(2, 3), us, klv.TextOf(6, "US MX")}}, "", "SECRET//NOFORN"},
		"another government's":                          {[][]klv.Value{{class(1), iso2, klv.TextOf(3, "//CA"), klv.TextOf(6, "CA")}}, "", "UNCLASSIFIED//NOFORN//FGI CAN"},
		"restricted":                                    {[][]klv.Value{{class(2), iso2, us}}, "U", "CONFIDENTIAL//RESTRICTED"},
		"empty texts say nothing":                       {[][]klv.Value{{class(1), iso2, us, klv.TextOf(4, "//"), klv.TextOf(5, ""), klv.TextOf(6, " ")}}, "", "UNCLASSIFIED"},
		"a set without its classification adds nothing": {[][]klv.Value{{iso2, us}}, "", "UNCLASSIFIED//FOUO"},
	} {
		var m still.Marks
		for _, set := range row.sets {
			m.See(security(t, set...))
		}
		got, err := m.Mark(row.given, "U//FOUO")
		if err != nil || got.Banner() != row.want {
			t.Errorf("%s: %q %v, want %q", name, got.Banner(), err, row.want)
		}
	}
}

func TestAClassificationThatCannotBeReadGivesNoPicture(t *testing.T) {
	for name, v := range map[string]klv.Value{"no such value": klv.RawBytes(1, []byte{9}), "too long": klv.RawBytes(1, []byte{1, 2, 3}),
		"a caveat without end": klv.TextOf(5, strings.Repeat("MADE UP ", 200))} {
		var m still.Marks
		m.See(security(t, v))
		m.See(security(t, klv.Integer(1, 1)))
		if got, err := m.Mark("U", "U"); atalaya.KindOf(err) != atalaya.Refused || got.Banner() != "" {
			t.Errorf("%s: %q %v", name, got.Banner(), err)
		}
	}
	var m still.Marks
	if _, err := m.Mark("MADE UP", "U"); err == nil {
		t.Error("a marking that is none is taken")
	}
}

// The universal form of the set says the same in words.
func TestUniversalSecuritySets(t *testing.T) {
	named := func(name string) klv.UL {
		for k, r := range klv.ST0102Universal.UniversalRows() {
			if r.Name == name {
				return k
			}
		}
		t.Fatal(name)
		return klv.UL{}
	}
	b, err := klv.ST0102Universal.Encode(klv.TextOf(0, "SECRET//").Keyed(named("Security Classification")), klv.TextOf(0, "ORCON").Keyed(named("Caveats")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := klv.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	var m still.Marks
	m.See(&s)
	if got, err := m.Mark("", "U"); err != nil || got.Banner() != "SECRET//ORCON" {
		t.Errorf("%q %v", got.Banner(), err)
	}
}

// TestMarkingsWithoutEndAreRefused: a stream that names ever new ones is not marked with some of them.
func TestMarkingsWithoutEndAreRefused(t *testing.T) {
	var m still.Marks
	for i := range 40 {
		m.See(security(t, klv.Integer(1, 1), klv.TextOf(5, fmt.Sprintf("MADE %d", i))))
	}
	if _, err := m.Mark("", "U"); atalaya.KindOf(err) != atalaya.Refused {
		t.Error(err)
	}
}

// FuzzMarks: whatever stands in a security set, there is an error or a banner that begins with a classification no lower than that
// of the set.
func FuzzMarks(f *testing.F) {
	f.Add([]byte{1, 1, 1})
	f.Add([]byte{1, 1, 4, 2, 1, 1, 3, 4, '/', '/', 'C', 'A', 5, 6, 'N', 'O', 'F', 'O', 'R', 'N', 6, 5, 'U', 'S', ' ', 'M', 'X'})
	f.Add([]byte{1, 1, 9, 5, 3, 'a', '/', 'b'})
	f.Add([]byte{1, 0, 4, 2, '/', '/'})
	storm.Fuzz(f, func(t testing.TB, set []byte) {
		b, err := klv.Encode0601(klv.RawBytes(48, set))
		if err != nil {
			return
		}
		s, err := klv.Decode(b)
		if err != nil {
			return
		}
		var m still.Marks
		m.See(&s)
		got, err := m.Mark("U", "U")
		if err != nil {
			if got.Banner() != "" {
				t.Errorf("%v, and the banner %q", err, got.Banner())
			}
			return
		}
		class, _, _ := strings.Cut(got.Banner(), "//")
		marking, err := atalaya.ParseMarking(class)
		if err != nil {
			t.Fatalf("banner %q: %v", got.Banner(), err)
		}
		levels := map[string]atalaya.Classification{"UNCLASSIFIED": 1, "RESTRICTED": 2, "CONFIDENTIAL": 2, "SECRET": 3, "TOP SECRET": 4}
		if nested, ok := s.Item(48).Nested(); ok {
			if want := levels[nested.Text(1)]; marking.Class() < want {
				t.Errorf("banner %q where the set says %s", got.Banner(), nested.Text(1))
			}
		}
	})
}
