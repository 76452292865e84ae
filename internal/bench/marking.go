package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// markedText is ten kilobytes of paragraphs in eight markings under their banner, read, checked and rolled up, beside a look at each byte.
func markedText(context.Context, Options) ([]pair, error) {
	const banner = "SECRET//FGI GBR//ORCON/NOFORN/DSEN//LES\n"
	ways := []string{"(U)", "(U//FOUO)", "(S//REL TO USA, MEX)", "(C//REL TO USA, CAN, MEX, FVEY)", "(U//LES)", "(S//OC/REL TO USA, MEX)", "(U//DSEN)", "(S//FGI GBR//REL TO USA, GBR, MEX)"}
	var b strings.Builder
	b.WriteString(banner)
	for i := 0; b.Len() < 10<<10; i++ {
		fmt.Fprintf(&b, "\n%s SYNTHETIC. Paragraph %d. %s\n", ways[i%len(ways)], i, strings.Repeat("What was seen from the air, by whom and when. ", 3))
	}
	text := b.String() + "\n" + banner
	return []pair{{
		name: fmt.Sprintf("a text of %.0f kB", float64(len(text))/1e3), unit: "texts/s", reference: "a look at each byte",
		ours: func() (float64, error) {
			c, err := atalaya.CheckMarking(text)
			if err == nil && len(c.Problems) > 0 {
				err = fmt.Errorf("the text is marked as it must be, and %v", c.Problems)
			}
			return 1, err
		},
		theirs: func() (float64, error) {
			lines := 0
			for i := range len(text) {
				if text[i] == '\n' {
					lines++
				}
			}
			if lines == 0 {
				return 0, errors.New("no line")
			}
			return 1, nil
		},
	}}, nil
}
