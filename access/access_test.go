package access_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/access"
	"pgregory.net/rapid"
)

func ids() *rapid.Generator[[]access.LabelID] {
	return rapid.Custom(func(t *rapid.T) []access.LabelID {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) access.LabelID {
			return access.LabelID(rapid.Int64Range(1, 1<<40).Draw(t, "id"))
		}), 0, 12).Draw(t, "ids")
	})
}

func TestAViewSeesItsLabelsAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := ids().Draw(t, "view")
		v := access.Of(in...)
		for _, id := range append(ids().Draw(t, "others"), in...) {
			if v.Sees(id) != slices.Contains(in, id) {
				t.Fatalf("Of(%v).Sees(%d) = %v", in, id, v.Sees(id))
			}
		}
	})
}

func TestKeysAreEqualForEqualViewsOnly(t *testing.T) {
	set := func(in []access.LabelID) string {
		in = slices.Clone(in)
		slices.Sort(in)
		return fmt.Sprint(slices.Compact(in))
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := ids().Draw(t, "a"), ids().Draw(t, "b")
		if rapid.Bool().Draw(t, "same") {
			b = append(slices.Clone(a), a...)
			slices.Reverse(b)
		}
		if (access.Of(a...).Key() == access.Of(b...).Key()) != (set(a) == set(b)) {
			t.Fatalf("keys of %v and %v", a, b)
		}
	})
}

func TestTheZeroViewSeesNothing(t *testing.T) {
	var v access.View
	if v.Sees(0) || v.Sees(1) || v.IsWhole() || v.Key() == access.Whole().Key() || v.Key() != access.Of().Key() {
		t.Errorf("zero view: sees %v %v, whole %v, key %q", v.Sees(0), v.Sees(1), v.IsWhole(), v.Key())
	}
	if w := access.Whole(); !w.Sees(7) || !w.IsWhole() || w.IDs() != nil {
		t.Errorf("the whole view leaves something out")
	}
}

func TestChangingTheListAfterwardsDoesNotChangeTheView(t *testing.T) {
	in := []access.LabelID{3, 1}
	v := access.Of(in...)
	in[0] = 9
	if !v.Sees(3) || v.Sees(9) {
		t.Error("the view follows its caller's list")
	}
}

func ExampleOf() {
	v := access.Of(2, 1)
	fmt.Println(v.Sees(1), v.Sees(3), access.View{}.Sees(1))
	// Output: true false false
}
