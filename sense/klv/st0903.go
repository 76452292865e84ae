package klv

// MISB ST 0903.6 (VMTI): the set, the packs of what it detected, and the sets of tracks. Rows with Legacy are written otherwise
// before version 4. The rank that a sender gives a detection is withheld: nothing is ranked here.

var (
	ST0903 = define(Standard{Name: "0903", Title: "VMTI Local Set", Version: "6", local: st0903, check: checkedBy{runningSum, 1},
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0, 0, 0}})
	ST0903VTrack = define(Standard{Name: "0903 VTrack", Title: "VTrack Local Set", Version: "6", local: vTrack, check: checkedBy{runningSum, 1},
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x1e, 0, 0, 0}})
	ST0903VTarget    = define(Standard{Name: "0903 VTarget", Title: "VTarget Pack", local: vTarget})
	ST0903VTrackItem = define(Standard{Name: "0903 VTrackItem", Title: "VTrackItem Pack", local: vTrackItem})
	ST0903VMask      = define(Standard{Name: "0903 VMask", Title: "VMask Local Set", local: vMask})
	ST0903VObject    = define(Standard{Name: "0903 VObject", Title: "VObject Local Set", local: vObject})
	ST0903VFeature   = define(Standard{Name: "0903 VFeature", Title: "VFeature Local Set", local: vFeature})
	ST0903VTracker   = define(Standard{Name: "0903 VTracker", Title: "VTracker Local Set", local: vTracker})
	ST0903VChip      = define(Standard{Name: "0903 VChip", Title: "VChip Local Set", local: vChip})
	ST0903Algorithm  = define(Standard{Name: "0903 Algorithm", Title: "Algorithm Local Set", local: algorithm})
	ST0903Ontology   = define(Standard{Name: "0903 Ontology", Title: "Ontology Local Set", local: ontology})
)

var st0903 = table{
	1:   {Name: "Checksum", Format: ChecksumSum, Size: 2},
	2:   {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8, Loose: true},
	3:   {Name: "VMTI System Name", Format: Text},
	4:   {Name: "VMTI LS Version Number", Format: Unsigned},
	5:   {Name: "Total Number of Targets Detected", Format: Unsigned},
	6:   {Name: "Number of Reported Targets", Format: Unsigned},
	7:   {Name: "Frame Number", Format: Unsigned},
	8:   {Name: "Frame Width", Unit: px, Format: Unsigned},
	9:   {Name: "Frame Height", Unit: px, Format: Unsigned},
	10:  {Name: "VMTI Source Sensor", Format: Text},
	11:  {Name: "VMTI Horizontal FOV", Unit: deg, Format: IMAPB, Size: 2, Hi: 180, Legacy: ScaledUint},
	12:  {Name: "VMTI Vertical FOV", Unit: deg, Format: IMAPB, Size: 2, Hi: 180, Legacy: ScaledUint},
	13:  {Name: "MIIS ID", Format: CoreIdentifier},
	101: {Name: "VTarget Series", Format: List, Entry: &Field{Row: Row{Name: "VTarget Pack", Format: Pack, Fields: numbered("Target ID Number", "VTarget", ST0903VTarget)}, Ends: Told}},
	102: series("Algorithm Series", "Algorithm", ST0903Algorithm),
	103: series("Ontology Series", "Ontology", ST0903Ontology),
}

// numbered is a pack of a number and a local set: VTarget and VTrackItem.
func numbered(id, set string, std *Standard) []Field {
	return []Field{
		{Row: Row{Name: id, Format: BEROID}, Ends: Self},
		{Row: Row{Name: set, Format: Nested, Set: std}, Ends: AtEnd, Optional: true},
	}
}

// series is a list of local sets, each after its length.
func series(name, entry string, std *Standard) Row {
	return Row{Name: name, Format: List, Entry: &Field{Row: Row{Name: entry, Format: Nested, Set: std}, Ends: Told}}
}

// locations is a list of Location packs.
func locations(name string) Row {
	return Row{Name: name, Format: List, Entry: &Field{Row: Row{Name: "Location", Format: Pack, Fields: vmtiLocation}, Ends: Told}}
}

var vTarget = table{
	1:   {Name: "Target Centroid", Format: Unsigned},
	2:   {Name: "Bounding Box Top Left", Format: Unsigned},
	3:   {Name: "Bounding Box Bottom Right", Format: Unsigned},
	4:   {Name: Withheld, Format: Opaque},
	5:   {Name: "Target Confidence Level", Unit: percnt, Format: Unsigned, Size: 1},
	6:   {Name: "Target History", Format: Unsigned},
	7:   {Name: "Percentage of Target Pixels", Unit: percnt, Format: Unsigned, Size: 1},
	8:   {Name: "Target Color", Format: Unsigned, Size: 3},
	9:   {Name: "Target Intensity", Format: Unsigned},
	10:  {Name: "Target Location Offset Latitude", Unit: deg, Format: IMAPB, Size: 3, Lo: -19.2, Hi: 19.2, Legacy: ScaledInt},
	11:  {Name: "Target Location Offset Longitude", Unit: deg, Format: IMAPB, Size: 3, Lo: -19.2, Hi: 19.2, Legacy: ScaledInt},
	12:  {Name: "Target HAE", Unit: metre, Format: IMAPB, Size: 2, Lo: -900, Hi: 19000, Legacy: ScaledUint},
	13:  {Name: "Bounding Box Top Left Latitude Offset", Unit: deg, Format: IMAPB, Size: 3, Lo: -19.2, Hi: 19.2, Legacy: ScaledInt},
	14:  {Name: "Bounding Box Top Left Longitude Offset", Unit: deg, Format: IMAPB, Size: 3, Lo: -19.2, Hi: 19.2, Legacy: ScaledInt},
	15:  {Name: "Bounding Box Bottom Right Latitude Offset", Unit: deg, Format: IMAPB, Size: 3, Lo: -19.2, Hi: 19.2, Legacy: ScaledInt},
	16:  {Name: "Bounding Box Bottom Right Longitude Offset", Unit: deg, Format: IMAPB, Size: 3, Lo: -19.2, Hi: 19.2, Legacy: ScaledInt},
	17:  {Name: "Target Location", Format: Pack, Fields: vmtiLocation},
	18:  locations("Geospatial Contour Series"),
	19:  {Name: "Centroid Pixel Row", Format: Unsigned},
	20:  {Name: "Centroid Pixel Column", Format: Unsigned},
	21:  {Name: "FPA Index", Format: Pack, Fields: fpaIndex},
	22:  {Name: "Algorithm ID", Format: Unsigned},
	23:  {Name: "Detection Status", Format: Enum, Size: 1, Values: detectionStatus},
	101: {Name: "VMask", Format: Nested, Set: ST0903VMask},
	102: {Name: "VObject", Format: Nested, Set: ST0903VObject},
	103: {Name: "VFeature", Format: Nested, Set: ST0903VFeature},
	104: {Name: "VTracker", Format: Nested, Set: ST0903VTracker},
	105: {Name: "VChip", Format: Nested, Set: ST0903VChip},
	106: series("VChip Series", "VChip", ST0903VChip),
	107: series("VObject Series", "VObject", ST0903VObject),
}

var detectionStatus = []string{"Inactive", "Active-Moving", "Dropped", "Active-Stopped", "Active-Coasting"}

var fpaIndex = []Field{
	{Row: Row{Name: "FPA Row", Format: Unsigned, Size: 1}},
	{Row: Row{Name: "FPA Column", Format: Unsigned, Size: 1}},
}

// The packs of a place, a velocity and an acceleration (ST 0903.6 section 9): three numbers, then their standard deviations and
// correlations by east, north and up, each group of three all or none.
var (
	vmtiLocation = append([]Field{
		{Row: Row{Name: "Latitude", Unit: deg, Format: IMAPB, Size: 4, Lo: -90, Hi: 90, Legacy: ScaledUint}},
		{Row: Row{Name: "Longitude", Unit: deg, Format: IMAPB, Size: 4, Lo: -180, Hi: 180, Legacy: ScaledUint}},
		{Row: Row{Name: "HAE", Unit: metre, Format: IMAPB, Size: 2, Lo: -900, Hi: 19000, Legacy: ScaledUint}},
	}, spread(metre)...)
	vmtiVelocity     = append(motion(mps), spread(mps)...)
	vmtiAcceleration = append(motion("m/s2"), spread("m/s2")...)
)

func motion(unit string) (f []Field) {
	for _, name := range []string{"East", "North", "Up"} {
		f = append(f, Field{Row: Row{Name: name, Unit: unit, Format: IMAPB, Size: 2, Lo: -900, Hi: 900, Legacy: ScaledUint}})
	}
	return f
}

func spread(unit string) (f []Field) {
	for _, name := range []string{"Sigma East", "Sigma North", "Sigma Up"} {
		f = append(f, Field{Row: Row{Name: name, Unit: unit, Format: IMAPB, Size: 2, Hi: 650, Legacy: ScaledUint}, Optional: true})
	}
	for _, name := range []string{"Rho East North", "Rho East Up", "Rho North Up"} {
		f = append(f, Field{Row: Row{Name: name, Format: IMAPB, Size: 2, Lo: -1, Hi: 1, Legacy: ScaledUint}, Optional: true})
	}
	return f
}

var vMask = table{
	1: {Name: "Pixel Contour", Format: List, Entry: &Field{Row: Row{Name: "Pixel Number", Format: Unsigned}, Ends: Told}},
	2: {Name: "Bitmask Series", Format: List, Entry: &Field{Row: Row{Name: "Pixel Run", Format: Pack, Fields: []Field{
		{Row: Row{Name: "Pixel Number", Format: Unsigned}, Ends: Told},
		{Row: Row{Name: "Run Length", Unit: px, Format: BERLength}, Ends: Self},
	}}, Ends: Told}},
}

var vObject = table{
	1: {Name: "Ontology", Format: Text},
	2: {Name: "Ontology Class", Format: Text},
	3: {Name: "Ontology ID", Format: Unsigned},
	4: {Name: "Confidence", Unit: percnt, Format: IMAPB, Size: 1, Hi: 100},
}

var vFeature = table{
	1: {Name: "Schema", Format: Text},
	2: {Name: "Schema Feature", Format: Text},
	3: {Name: "Ontology ID", Format: Unsigned},
	4: {Name: "Confidence", Unit: percnt, Format: IMAPB, Size: 1, Hi: 100},
}

var vTracker = table{
	1:  {Name: "Track ID", Format: Identifier, Size: 16},
	2:  {Name: "Detection Status", Format: Enum, Size: 1, Values: detectionStatus},
	3:  {Name: "First Observation Time", Unit: "us", Format: Micros, Size: 8},
	4:  {Name: "Latest Observation Time", Unit: "us", Format: Micros, Size: 8},
	5:  locations("Track Boundary Series"),
	6:  {Name: "Algorithm", Format: Text},
	7:  {Name: "Confidence Level", Unit: percnt, Format: Unsigned, Size: 1},
	8:  {Name: "Number of Track Points", Format: Unsigned},
	9:  locations("Track History Series"),
	10: {Name: "Velocity", Format: Pack, Fields: vmtiVelocity},
	11: {Name: "Acceleration", Format: Pack, Fields: vmtiAcceleration},
	12: {Name: "Algorithm ID", Format: Unsigned},
}

var vChip = table{
	1: {Name: "Image Type", Format: Text},
	2: {Name: "Image IRI", Format: Text},
	3: {Name: "Embedded Image", Format: Bytes},
}

var algorithm = table{
	1: {Name: "ID", Format: Unsigned},
	2: {Name: "Name", Format: Text},
	3: {Name: "Version", Format: Text},
	4: {Name: "Class", Format: Text},
	5: {Name: "Number of Frames", Format: Unsigned},
}

var ontology = table{
	1: {Name: "ID", Format: Unsigned},
	2: {Name: "Parent ID", Format: Unsigned},
	3: {Name: "Ontology IRI", Format: Text},
	4: {Name: "Entity IRI", Format: Text},
	5: {Name: "Version IRI", Format: Text},
	6: {Name: "Label", Format: Text},
}

var vTrack = table{
	1:   {Name: "Checksum", Format: ChecksumSum, Size: 2},
	2:   {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8, Loose: true},
	3:   {Name: "Track ID", Format: Identifier, Size: 16},
	4:   {Name: "Track Status", Format: Enum, Size: 1, Values: detectionStatus},
	5:   {Name: "Track Start Time", Unit: "us", Format: Micros, Size: 8},
	6:   {Name: "Track End Time", Unit: "us", Format: Micros, Size: 8},
	7:   locations("Track Boundary Series"),
	8:   {Name: "Algorithm", Format: Text},
	9:   {Name: "Track Confidence", Unit: percnt, Format: Unsigned, Size: 1},
	10:  {Name: "VMTI System Name", Format: Text},
	11:  {Name: "VTrack LS Version Number", Format: Unsigned},
	12:  {Name: "VMTI Source Sensor", Format: Text},
	13:  {Name: "Number of Track Points", Format: Unsigned},
	101: {Name: "VTrackItem Series", Format: List, Entry: &Field{Row: Row{Name: "VTrackItem Pack", Format: Pack, Fields: numbered("Target ID Number", "VTrackItem", ST0903VTrackItem)}, Ends: Told}},
	103: series("Ontology Series", "Ontology", ST0903Ontology),
}

var vTrackItem = table{
	1:   {Name: "Target Time Stamp", Unit: "us", Format: Micros, Size: 8},
	2:   {Name: "Target Centroid Pixel Number", Format: Unsigned},
	3:   {Name: "Target Centroid Pixel Row", Format: Unsigned},
	4:   {Name: "Target Centroid Pixel Column", Format: Unsigned},
	5:   {Name: "Bounding Box Top Left Pixel Number", Format: Unsigned},
	6:   {Name: "Bounding Box Bottom Right Pixel Number", Format: Unsigned},
	7:   {Name: Withheld, Format: Opaque},
	8:   {Name: "Target Confidence Level", Unit: percnt, Format: Unsigned, Size: 1},
	9:   {Name: "Target History", Format: Unsigned},
	10:  {Name: "Percentage of Target Pixels", Unit: percnt, Format: Unsigned, Size: 1},
	11:  {Name: "Target Color", Format: Unsigned, Size: 3},
	12:  {Name: "Target Intensity", Format: Unsigned},
	13:  {Name: "Target Location", Format: Pack, Fields: vmtiLocation},
	14:  locations("Target Boundary Series"),
	15:  {Name: "Velocity", Format: Pack, Fields: vmtiVelocity},
	16:  {Name: "Acceleration", Format: Pack, Fields: vmtiAcceleration},
	17:  {Name: "FPA Index", Format: Pack, Fields: fpaIndex},
	18:  {Name: "Video Frame Number", Format: Unsigned},
	19:  {Name: "MIIS ID", Format: CoreIdentifier},
	20:  {Name: "Frame Width", Unit: px, Format: Unsigned},
	21:  {Name: "Frame Height", Unit: px, Format: Unsigned},
	22:  {Name: "Sensor Horizontal FOV", Unit: deg, Format: IMAPB, Size: 2, Hi: 180, Legacy: ScaledUint},
	23:  {Name: "Sensor Vertical FOV", Unit: deg, Format: IMAPB, Size: 2, Hi: 180, Legacy: ScaledUint},
	24:  {Name: "Motion Imagery URL", Format: Text},
	101: {Name: "VMask", Format: Nested, Set: ST0903VMask},
	102: {Name: "VObject", Format: Nested, Set: ST0903VObject},
	103: {Name: "VFeature", Format: Nested, Set: ST0903VFeature},
	104: {Name: "VChip", Format: Nested, Set: ST0903VChip},
	105: series("VChip Series", "VChip", ST0903VChip),
	106: series("VObject Series", "VObject", ST0903VObject),
}
