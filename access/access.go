// Package access says what a reader may see: a View is the set of interned label ids that policy, above the store, has
// decided on. Every read of the record takes one. The zero View sees nothing.
package access

import "slices"

// LabelID is the number under which a record interns one marking.
type LabelID int64

// View is the set of labels that one reader may see. It is immutable and safe for concurrent use.
type View struct {
	all bool
	ids []LabelID // ascending
}

// Of makes the view of exactly these labels.
func Of(ids ...LabelID) View {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return View{ids: slices.Compact(ids)}
}

// Whole is the view of the record itself: replay, backup, audit and the estimators, never a person.
func Whole() View { return View{all: true} }

// IsWhole reports whether the view leaves nothing out.
func (v View) IsWhole() bool { return v.all }

// Sees reports whether a value with this label may be shown.
func (v View) Sees(id LabelID) bool {
	if v.all {
		return true
	}
	_, ok := slices.BinarySearch(v.ids, id)
	return ok
}

// IDs lists the labels, ascending; nil for the whole record. The caller must not change it.
func (v View) IDs() []LabelID { return v.ids }

// Key is equal for equal views: it binds a cursor to its reader and keys a cache.
func (v View) Key() string {
	if v.all {
		return "*"
	}
	b := make([]byte, 0, 4*len(v.ids))
	for _, id := range v.ids {
		for n := uint64(id); ; n >>= 7 {
			if n < 0x80 {
				b = append(b, byte(n))
				break
			}
			b = append(b, byte(n)|0x80)
		}
	}
	return "v" + string(b)
}
