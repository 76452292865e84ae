package simulate

// sense is one way to notice a place.
type sense int

const (
	senseGas sense = iota
	senseSpectral
	senseThermal
	senseVideo
	senseMover
	senseSignal
	senses
)

// senseNames are the kinds of sheets.
var senseNames = [senses]string{"gas", "spectral", "thermal", "video", "mover", "signal"}

// compounds that the instruments of a region tell apart.
var compounds = [...]string{"acetone", "toluene", "xylene", "ammonia", "ethanol", "butane", "methane", "carbon-monoxide", "tetrachloroethylene"}

// mixture is by compound in the order of compounds, shares of mass; they need not sum to one.
type mixture [len(compounds)]float64

// shape is a pair of features of what a sense other than gas shows, in units that run from -3 to 3: heat, its power and how steady it is; a
// picture, its size and how hidden it is; a vehicle, how long it stays and how far off the ways of others; an emitter, how short its
// bursts are and how fixed its place.
type shape [2]float64

// where a kind of place lies.
type setting int

const (
	inTown     setting = iota // within the built-up ground
	townEdge                  // up to 2 km beyond it
	atRoad                    // at a main road, anywhere
	onPlain                   // on plains near a track
	inHills                   // in hills near a track
	onTop                     // on the highest ground about, without a track
	atWater                   // at a shore or river
	siteGround                // by the law of sites, see siteLikes
)

// A rhythm says when something works: in a window of local hours, on some days. Work that has begun goes on for hours (hold).
type rhythm struct {
	from, to      float64 // of the window, local hours; from after to runs over midnight
	inside, out   float64 // chance of working in the window, and out of it
	hold          int     // hours for which the lot is cast
	weekdays      bool    // rests on Saturday and Sunday
	onDays, offDs float64 // mean length of stretches of days of work and of rest; 0 never rests
}

var always = rhythm{0, 24, 1, 1, 24, false, 0, 0}

// A placeKind is what the simulator knows of one kind of place. The numbers are assumptions, in orders of magnitude, and the simulator's own:
// the classes of the fusion are coarser, and have theirs.
type placeKind struct {
	name   string
	class  string // of the fusion, which a permit for it names
	weight float64
	where  setting
	// notice is the chance of being noticed by a good look while at work, by sense.
	notice [senses]float64
	permit float64 // chance that it has one on file
	work   rhythm
	// traffic is when vehicles come and go; the zero rhythm is that of work.
	traffic rhythm
	emits   mixture
	rateGS  float64 // median of all compounds, grams a second; 0 emits nothing
	shapes  [senses]shape
}

func shapes(thermal, picture, mover, signal shape) (s [senses]shape) {
	s[senseThermal], s[senseVideo], s[senseMover], s[senseSignal] = thermal, picture, mover, signal
	return s
}

var workday = rhythm{8, 18, 0.85, 0.05, 5, true, 0, 0}

// decoys lists every kind of decoy; notice is gas, spectral, thermal, video, mover, signal, and mixtures are in the order of compounds.
var decoys = [...]placeKind{
	{"paint-shop", "industry", 40, townEdge, [senses]float64{.65, .25, .15, .05, .35, .10}, .65, workday, rhythm{},
		mixture{.22, .40, .32, 0, .04, .02, 0, 0, 0}, 1.2, shapes(shape{-.8, .2}, shape{.4, -1}, shape{.3, -.5}, shape{-.2, .6})},
	{"petrol-station", "industry", 30, atRoad, [senses]float64{.55, .12, .05, .02, .75, .12}, .9, rhythm{6, 22, .95, .2, 6, false, 0, 0}, rhythm{},
		mixture{.01, .20, .16, 0, .05, .50, .08, 0, 0}, 0.8, shapes(shape{-.5, .5}, shape{.6, -1.2}, shape{-1, -.3}, shape{-.2, .5})},
	{"plant", "industry", 18, townEdge, [senses]float64{.6, .45, .6, .1, .7, .35}, .85, rhythm{0, 24, .85, .85, 12, false, 0, 0}, rhythm{6, 20, .8, .3, 3, false, 0, 0},
		mixture{.18, .18, .10, .12, .18, .06, .10, .08, 0}, 4, shapes(shape{1.2, 1}, shape{1.8, -1}, shape{.8, -.6}, shape{-.2, .8})},
	{"refinery", "industry", 3, atRoad, [senses]float64{.9, .8, .95, .1, .8, .5}, 1, always, always,
		mixture{.02, .10, .10, .02, .02, .34, .30, .10, 0}, 60, shapes(shape{3, 1.2}, shape{3, -1.3}, shape{1, -.6}, shape{-.3, 1})},
	{"dry-cleaner", "industry", 15, inTown, [senses]float64{.4, .08, .08, .01, .2, .04}, .75, workday, rhythm{},
		mixture{.08, .04, .02, 0, .06, 0, 0, 0, .80}, 0.3, shapes(shape{-1, .2}, shape{.1, -1}, shape{-.4, -.5}, shape{-.2, .4})},
	{"farm", "farm", 45, onPlain, [senses]float64{.4, .15, .1, .1, .3, .08}, .2, rhythm{5, 19, .8, .35, 6, false, 0, 0}, rhythm{6, 19, .5, .05, 3, false, 0, 0},
		mixture{.02, .01, .01, .55, .06, .02, .30, .03, 0}, 1.5, shapes(shape{-.7, 0}, shape{.6, -.2}, shape{.5, .2}, shape{0, 0})},
	{"rubbish-fire", "fire", 18, townEdge, [senses]float64{.5, .45, .85, .1, .1, .02}, .05, rhythm{9, 23, .75, .25, 5, false, 2, 5}, rhythm{},
		mixture{.05, .08, .04, .05, .03, .02, .15, .58, 0}, 5, shapes(shape{1, -1}, shape{-.5, -.5}, shape{-.2, .6}, shape{0, 0})},
	{"field-fire", "fire", 14, onPlain, [senses]float64{.5, .5, .95, .08, .05, .01}, 0, rhythm{10, 21, .9, .2, 6, false, 1.2, 14}, rhythm{},
		mixture{.04, .01, .01, .06, .02, .01, .12, .73, 0}, 20, shapes(shape{2.2, -1.6}, shape{-1, -.6}, shape{.2, .4}, shape{0, 0})},
	{"charcoal-kiln", "fire", 20, inHills, [senses]float64{.5, .4, .75, .2, .15, .03}, .05, rhythm{0, 24, .9, .9, 12, false, 4, 4}, rhythm{6, 19, .3, .05, 3, false, 0, 0},
		mixture{.07, .03, .01, .02, .08, .01, .20, .58, 0}, 3, shapes(shape{.8, .6}, shape{-.4, .6}, shape{.7, .8}, shape{0, -.2})},
	{"brick-kiln", "fire", 16, townEdge, [senses]float64{.45, .4, .85, .1, .35, .05}, .4, rhythm{4, 20, .85, .4, 8, false, 4, 3}, rhythm{6, 19, .6, .05, 3, false, 0, 0},
		mixture{.03, .12, .08, .01, .01, .02, .12, .61, 0}, 4, shapes(shape{1.2, .5}, shape{.6, -.3}, shape{.6, .1}, shape{0, .1})},
	{"quarry", "traffic", 12, inHills, [senses]float64{.1, .05, .2, .15, .7, .2}, .7, workday, rhythm{},
		mixture{.01, .10, .06, .01, .02, .10, .05, .65, 0}, 0.5, shapes(shape{-.2, 0}, shape{1.5, -.8}, shape{.2, .5}, shape{-.1, .2})},
	{"construction-camp", "traffic", 14, onPlain, [senses]float64{.15, .04, .25, .3, .7, .3}, .4, rhythm{6, 20, .85, .3, 6, false, 0, 0}, rhythm{5, 22, .7, .15, 3, false, 0, 0},
		mixture{.12, .22, .16, .02, .04, .10, .06, .28, 0}, 0.6, shapes(shape{-.2, .3}, shape{.3, .1}, shape{.9, .5}, shape{0, -.3})},
	{"truck-yard", "traffic", 18, atRoad, [senses]float64{.15, .03, .15, .1, .85, .25}, .5, rhythm{0, 24, .8, .8, 4, false, 0, 0}, rhythm{},
		mixture{.02, .16, .12, .02, .02, .16, .06, .44, 0}, 0.4, shapes(shape{-.4, .2}, shape{.9, -1}, shape{1.2, -.2}, shape{-.1, -.2})},
	{"ranch-radio", "radio", 20, onPlain, [senses]float64{.03, .01, .08, .12, .25, .7}, .05, rhythm{5, 22, .7, .15, 3, false, 0, 0}, rhythm{6, 20, .3, .03, 3, false, 0, 0},
		mixture{.02, .02, .02, .30, .04, .25, .20, .15, 0}, 0.1, shapes(shape{-.9, .2}, shape{-.1, .1}, shape{.6, .5}, shape{-.3, .1})},
	{"mast", "radio", 10, onTop, [senses]float64{0, 0, .03, .05, .05, .95}, .8, always, rhythm{8, 17, .1, .01, 2, true, 0, 0},
		mixture{}, 0, shapes(shape{-1, .8}, shape{-.3, -.8}, shape{.5, .9}, shape{-1, 2.2})},
	{"fishing-camp", "radio", 12, atWater, [senses]float64{.1, .02, .2, .2, .35, .5}, .1, rhythm{18, 8, .75, .2, 4, false, 6, 3}, rhythm{},
		mixture{.01, .08, .06, .06, .02, .35, .05, .37, 0}, 0.2, shapes(shape{-.4, -.3}, shape{-.2, .3}, shape{.8, .7}, shape{-.3, -.3})},
}

// homestead is a small place without a name: a house, a pen, a motor.
var homestead = placeKind{"homestead", "", 0, onPlain, [senses]float64{.08, .02, .07, .06, .14, .06}, 0, rhythm{5, 21, .7, .2, 4, false, 0, 0}, rhythm{6, 21, .3, .04, 2, false, 0, 0},
	mixture{.03, .03, .02, .22, .04, .20, .22, .24, 0}, 0.1, shapes(shape{-.8, .1}, shape{0, .1}, shape{.5, .5}, shape{-.1, -.1})}

// siteKind is what is looked for. Each site has one of the recipes in the place of emits, and a rhythm of its own.
var siteKind = placeKind{name: "site", class: "site", where: siteGround, notice: [senses]float64{.85, .48, .58, .55, .6, .45}, rateGS: 2,
	shapes: shapes(shape{0, .6}, shape{0, 1.3}, shape{.6, 1}, shape{.9, -.5})}

// recipes of solvents and what else stands in the air at sites; one a site.
var recipes = [...]mixture{
	{.52, .22, .02, .12, .08, .02, 0, .02, 0},
	{.18, .48, .06, .20, .04, .02, 0, .02, 0},
	{.34, .08, .02, .10, .38, .03, .02, .03, 0},
}

func kindNamed(name string) *placeKind {
	for i := range decoys {
		if decoys[i].name == name {
			return &decoys[i]
		}
	}
	return nil
}

func decoyNames() []string {
	var out []string
	for _, k := range decoys {
		out = append(out, k.name)
	}
	return out
}
