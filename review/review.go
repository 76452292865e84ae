// Package review is the human decision between what was computed and what leaves. A case goes
//
//	waiting -> one approval -> approved by two different people, on the same basis -> Released
//
// and any person's hold or dismissal stops it until that person decides otherwise. The basis is a hash of the candidate as it
// was looked at; when the candidate changes, every decision on it is history and the case waits to be looked at again.
//
// Released is the only thing that the encoders of package product take, and Decide and Replay are the only makers of it.
// The package knows no clock and no store: times come as values, and who a person is was settled before.
package review

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
)

// State says where a case stands.
type State string

// The states of a case.
const (
	Waiting      State = "waiting"       // nobody has approved the present basis
	OneApproval  State = "one-approval"  // a second, different person must approve
	Approved     State = "approved"      // two different people approved the present basis
	OnHold       State = "on-hold"       // somebody wants it to wait
	Dismissed    State = "dismissed"     // somebody says that this is nothing
	BasisChanged State = "basis-changed" // the candidate is no longer what the case was opened, or last looked at, on; or it is gone
)

// States lists all states, in order, for menus and checks.
var States = [...]State{Waiting, OneApproval, Approved, OnHold, Dismissed, BasisChanged}

// Standing is where a case stands, and why.
type Standing struct {
	State State `json:"state"`
	// Decisions is the last decision of each person on the present basis, in order of time; earlier ones are history.
	Decisions []atalaya.Review `json:"decisions"`
	// Missing says in words what has still to happen before it can be released; "" when approved.
	Missing string `json:"missing"`
}

// BasisOf is the hash that a case and its reviews carry of a candidate: SHA-256 of its JSON. Rank and AsOf are left out: the
// first speaks of other candidates, and what time changes shows in the probability and the ledger.
func BasisOf(c atalaya.Candidate) (string, error) {
	c.Rank, c.AsOf = 0, time.Time{}
	body, err := json.Marshal(c)
	if err != nil {
		return "", &atalaya.Error{Op: "review.basis", Place: string(c.ID), Kind: atalaya.BadInput, Err: err, Hint: "Compute the candidate again"}
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// MarkingOf is the lowest marking that a package about a candidate can carry: the roll-up of the candidate and its ledger. A
// row that rests on an observation must be marked; rows such as the prior say nothing of their own and need not be.
func MarkingOf(c atalaya.Candidate) (string, error) {
	portions := []string{c.Marking}
	for _, item := range c.Ledger {
		if item.Marking != "" || item.Observation != "" || item.Evidence != "" {
			portions = append(portions, item.Marking)
		}
	}
	return atalaya.RollUp(portions...)
}

// Of says where a case stands. current is the basis of its candidate as computed now; "" when the candidate no longer exists.
// Reviews of other cases, on another basis, by nobody, or later than at, do not count. A person counts once, with the last
// decision; two decisions of one instant are ordered by their names.
//
// A case whose candidate no longer exists can still be held or dismissed, and stands so: there is nothing new to look at.
func Of(c atalaya.Case, current string, reviews []atalaya.Review, at time.Time) Standing {
	s := Standing{Decisions: lastOfEach(c, reviews, at)}
	gone := current == ""
	switch held, approved := deciders(s.Decisions, atalaya.Hold), deciders(s.Decisions, atalaya.Approve); {
	case !gone && current != c.Basis:
		s.State, s.Missing = BasisChanged, "the evidence has changed since; look at the case again and review it anew"
	case len(deciders(s.Decisions, atalaya.Dismiss)) > 0:
		s.State, s.Missing = Dismissed, "dismissed by "+strings.Join(deciders(s.Decisions, atalaya.Dismiss), ", ")
	case gone && len(held) > 0:
		s.State, s.Missing = OnHold, "the place is no longer a candidate; on hold by "+strings.Join(held, ", ")
	case gone:
		s.State, s.Missing = BasisChanged, "the place is no longer a candidate; dismiss the case, or hold it for new evidence"
	case len(held) > 0:
		s.State, s.Missing = OnHold, "on hold by "+strings.Join(held, ", ")
	case len(approved) == 0:
		s.State, s.Missing = Waiting, "no approval yet; two different people must approve"
	case len(approved) == 1:
		s.State, s.Missing = OneApproval, "one approval by "+approved[0]+"; a second person must approve"
	default:
		s.State = Approved
	}
	return s
}

// lastOfEach keeps each person's last decision on the present basis, ordered by time, then name.
func lastOfEach(c atalaya.Case, reviews []atalaya.Review, at time.Time) []atalaya.Review {
	rs := slices.DeleteFunc(slices.Clone(reviews), func(r atalaya.Review) bool {
		return r.Case != c.ID || r.Basis != c.Basis || r.By == "" || r.At.After(at)
	})
	slices.SortFunc(rs, func(a, b atalaya.Review) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.By, b.By), cmp.Compare(a.Decision, b.Decision))
	})
	out := []atalaya.Review{}
	for i, r := range rs {
		later := slices.ContainsFunc(rs[i+1:], func(q atalaya.Review) bool { return q.By == r.By })
		if !later {
			out = append(out, r)
		}
	}
	return out
}

func deciders(rs []atalaya.Review, d atalaya.Decision) []string {
	var who []string
	for _, r := range rs {
		if r.Decision == d {
			who = append(who, string(r.By))
		}
	}
	return who
}

// Check validates one person's decision before it is logged. At the time of deciding, current is the basis of the candidate;
// "" when it no longer exists: the case can then be held or dismissed on what it was opened on, not approved.
func Check(r atalaya.Review, c atalaya.Case, current string) error {
	bad := func(kind atalaya.Kind, what, hint string) error {
		return &atalaya.Error{Op: "review", Place: "case " + string(c.ID), Kind: kind, Err: fmt.Errorf("%s", what), Hint: hint}
	}
	switch {
	case r.Case != c.ID:
		return bad(atalaya.BadUse, fmt.Sprintf("the review is of case %q", r.Case), "Review the case that is open")
	case r.By == "":
		return bad(atalaya.BadLogin, "a review needs a person", "Sign in first")
	case !slices.Contains([]atalaya.Decision{atalaya.Approve, atalaya.Hold, atalaya.Dismiss}, r.Decision):
		return bad(atalaya.BadUse, fmt.Sprintf("%q is no decision", r.Decision), "Choose approve, hold or dismiss")
	case r.Decision != atalaya.Approve && strings.TrimSpace(r.Why) == "":
		return bad(atalaya.BadUse, fmt.Sprintf("a %s needs its reason", r.Decision), "Say why in a sentence")
	case current == "" && r.Decision == atalaya.Approve:
		return bad(atalaya.Conflict, "the place is no longer a candidate", "Dismiss the case, or hold it for new evidence")
	case r.Basis != c.Basis || current != "" && current != c.Basis:
		return bad(atalaya.Conflict, "the evidence has changed since it was looked at", "Open the case, look at the new evidence, and decide again")
	}
	return nil
}
