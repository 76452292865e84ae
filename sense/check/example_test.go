package check_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

func ExampleCheck() {
	packet, err := klv.Encode0601(klv.Time(2, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)), klv.TextOf(3, "SYNTHETIC01"), klv.Integer(65, 19))
	if err != nil {
		fmt.Println(err)
		return
	}
	packet[30] ^= 1 // on the way
	report, err := check.Check(bytes.NewReader(packet), check.Default)
	if err != nil {
		fmt.Println(err)
		return
	}
	worst := report.Findings[0]
	fmt.Println(report.Verdict)
	fmt.Printf("%s: byte %d, %s, %s\n%s\n", worst.Class, worst.At, worst.Standard, worst.Item, worst.Remedy)
	// Output:
	// not conformant
	// checksum-wrong: byte 43, MISB ST 0601.19, 6.6 (ST 0601.8-08), item 1
	// The packet was changed after it was made, or on the way: do not rely on it alone.
}
