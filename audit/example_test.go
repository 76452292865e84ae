package audit_test

import (
	"fmt"

	"github.com/atalaya-isr/atalaya/audit"
)

// A commitment says nothing of the event until salt and event are shown; then it can be recomputed by anyone.
func ExampleCommit() {
	var salt [audit.SaltSize]byte // random in use
	event := audit.Canonical("event/1", []byte("SYNTHETIC"))
	c := audit.Commit(salt, event)
	fmt.Println(c == audit.Commit(salt, event), c == audit.Commit(salt, append(event, '.')))
	// Output: true false
}
