package klv_test

import (
	"fmt"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

func Example() {
	packet, err := klv.Encode0601(
		klv.Time(2, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)),
		klv.TextOf(3, "SYNTHETIC01"),
		klv.Number(13, 24.8091),
		klv.Number(14, -107.394),
		klv.Clear(21),
		klv.Integer(65, 19),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := klv.Decode(packet)
	lat, state := set.Number(13)
	_, ranged := set.Number(21)
	fmt.Printf("%s %.4f° %v %v %v %v\n", set.Text(3), lat, state == klv.Given, ranged == klv.Cleared, set.Checksum == klv.Right, err)
	// Output: SYNTHETIC01 24.8091° true true true <nil>
}
