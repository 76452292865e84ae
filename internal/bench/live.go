package bench

import (
	"context"
	"fmt"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/simulate"
)

// liveCases are rankings of growing ground and growing evidence: what one more observation costs, since each is a ranking of all that stands.
var liveCases = []struct {
	region string
	share  int // of the evidence, in tenths, the earliest
}{{"glen", 10}, {"valley", 10}, {"train-coast", 10}, {"province", 1}, {"province", 3}, {"province", 10}}

// liveRankings measures how often a second the ranking of a campaign is worked out anew after one more item. The reference is a sort of the cells that the same
// evidence has: what any way must do that lays mixed evidence over ground.
func liveRankings(_ context.Context, o Options) ([]pair, error) {
	cases := liveCases
	if o.trial() {
		cases = cases[:2]
	}
	var out []pair
	regions := map[string]*simulate.Region{}
	for _, c := range cases {
		r := regions[c.region]
		if r == nil {
			s, err := simulate.FindRegion(c.region)
			if err != nil {
				return nil, err
			}
			if r, err = simulate.RegionCampaign(s, 3); err != nil {
				return nil, err
			}
			regions[c.region] = r
		}
		all := evidence(evidenceOf(r), r.To)
		slices.SortStableFunc(all, func(a, b atalaya.Evidence) int { return a.When.To.Compare(b.When.To) })
		all = all[:len(all)*c.share/10]
		p := livePair(r, all)
		if c.share == 10 {
			p.along = append(p.along, Along{"area (km²)", r.Area.Km2, "all evidence of a campaign"})
		}
		if c.region == "province" {
			p.along = append(p.along, Along{"items of evidence", float64(len(all)), fmt.Sprintf("%.0f km²", r.Area.Km2)})
		}
		out = append(out, p)
	}
	return out, nil
}

func livePair(r *simulate.Region, all []atalaya.Evidence) pair {
	opt := variant{}.options(countryOf(r), r.To)
	opt.Calibration = site.Shipped()
	var cells []uint64
	for _, e := range all {
		cells = append(cells, e.Cells...)
	}
	n, spare := 0, make([]uint64, len(cells))
	return pair{
		name: fmt.Sprintf("%.0f km², %d items, %d cells", r.Area.Km2, len(all), len(cells)), unit: "rankings/s", reference: "a sort of the same cells",
		ours: func() (float64, error) {
			n++ // with the last item, and without it
			site.Assess(all[:len(all)-n%2], opt)
			return 1, nil
		},
		theirs: func() (float64, error) {
			copy(spare, cells)
			slices.Sort(spare)
			return 1, nil
		},
	}
}
