package site

import "testing"

func TestTheSameWordsHaveOneOrigin(t *testing.T) {
	const first = "SYNTHETIC. Un pastor cuenta que hay un olor fuerte a solvente, a unos 12 km del pueblo."
	for _, row := range []struct {
		claim, text string
		same        bool
	}{
		{"to the letter", first, true},
		{"in capitals", "SYNTHETIC. UN PASTOR CUENTA QUE HAY UN OLOR FUERTE A SOLVENTE, A UNOS 12 KM DEL PUEBLO", true},
		{"with other stops and a number before it", "7) synthetic - Un pastor cuenta que: hay un olor fuerte a solvente; a unos 15 km del pueblo!", true},
		{"in other words", "SYNTHETIC. Un chofer cuenta que hay un olor fuerte a solvente, a unos 12 km del pueblo.", false},
		{"in another order", "SYNTHETIC. Cuenta un pastor que hay un olor fuerte a solvente, a unos 12 km del pueblo.", false},
	} {
		if got := WordsKey(row.text) == WordsKey(first); got != row.same {
			t.Errorf("%s: same %v", row.claim, got)
		}
	}
	if k := WordsKey("SYNTHETIC. 12 34 nothing to report"); k != "" { // four words
		t.Errorf("few words have the key %q", k)
	}
}
