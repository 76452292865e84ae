package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// weighted is a piece of evidence that stands, with the hash of its body.
type weighted struct {
	atalaya.Evidence
	sum string
}

// evidenceKept is the evidence of the missions that were ranked last, as the whole record has it, so that a new item costs the reading of one item. It follows
// the log: what an event may have changed is read again. Its zero value is ready.
type evidenceKept struct {
	mu   sync.Mutex
	kept []*keptEvidence // the latest first
}

type keptEvidence struct {
	mission atalaya.MissionID
	after   store.Cursor // what the log says up to here is in it
	items   []weighted   // in the order of their names
}

const (
	// mostMissions is how many missions are kept: some 20 MB each where they are large.
	mostMissions = 3
	// manyEvents are so many that reading all evidence anew is shorter.
	manyEvents = 2000
)

// evidenceOf is the evidence that stands and that a view sees, in the order of the names; the empty mission is the whole record.
func (a *App) evidenceOf(ctx context.Context, view access.View, mission atalaya.MissionID) ([]weighted, error) {
	q := store.Query{Kind: "evidence", Mission: string(mission)}
	if !view.IsWhole() {
		return a.readEvidence(ctx, view, q)
	}
	s := &a.kept
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.kept, func(k *keptEvidence) bool { return k.mission == mission })
	if i >= 0 {
		k := s.kept[i]
		s.kept = slices.Delete(s.kept, i, i+1)
		fresh, err := a.follow(ctx, k, q)
		if err != nil {
			return nil, err
		}
		if fresh {
			s.kept = slices.Insert(s.kept, 0, k)
			return slices.Clone(k.items), nil
		}
	}
	tail, err := a.Record.Follow(ctx, view, "", 1) // before the reading, so that nothing is missed; what is read twice does no harm
	if err != nil {
		return nil, err
	}
	items, err := a.readEvidence(ctx, view, q)
	if err != nil {
		return nil, err
	}
	s.kept = slices.Insert(s.kept, 0, &keptEvidence{mission, tail.Next, items})
	s.kept = s.kept[:min(len(s.kept), mostMissions)]
	return slices.Clone(items), nil
}

// follow brings kept evidence up to the log; false where all must be read anew.
func (a *App) follow(ctx context.Context, k *keptEvidence, q store.Query) (fresh bool, err error) {
	tail, err := a.Record.Follow(ctx, access.Whole(), k.after, manyEvents)
	if err != nil || tail.Reset || len(tail.Events) == manyEvents {
		return false, err
	}
	changed := map[string]bool{}
	for _, e := range tail.Events {
		switch e.Event.Kind {
		case store.EvidenceMade:
			changed[e.Event.Subject] = true
		case store.RetractionMade, store.RetractionUndone, store.PurgeMade: // what rests on what, and how far down, the record knows
			return false, nil
		}
	}
	if k.after = tail.Next; len(changed) == 0 {
		return true, nil
	}
	for id := range changed {
		q.IDs = append(q.IDs, id)
	}
	slices.Sort(q.IDs)
	items, err := a.readEvidence(ctx, access.Whole(), q)
	if err != nil {
		return false, err
	}
	k.items = slices.DeleteFunc(slices.Clone(k.items), func(w weighted) bool { return changed[string(w.ID)] })
	k.items = append(k.items, items...)
	slices.SortFunc(k.items, func(a, b weighted) int { return cmp.Compare(a.ID, b.ID) })
	return true, nil
}

// readEvidence reads what a query finds.
func (a *App) readEvidence(ctx context.Context, view access.View, q store.Query) ([]weighted, error) {
	es, err := a.all(ctx, view, q)
	if err != nil {
		return nil, err
	}
	out := make([]weighted, 0, len(es))
	for _, e := range es {
		if e.Standing == store.Purged {
			continue
		}
		sum := sha256.Sum256(e.Body)
		w := weighted{sum: hex.EncodeToString(sum[:])}
		if err := json.Unmarshal(e.Body, &w.Evidence); err != nil {
			return nil, fmt.Errorf("evidence %s: %w", e.ID, err)
		}
		out = append(out, w)
	}
	return out, nil
}
