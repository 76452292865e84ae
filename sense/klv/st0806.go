package klv

// MISB ST 0806.4 (remote video terminal) and its sets of points and areas of interest. Item 6 is of a kind that this program does
// not deal in.

var (
	ST0806 = define(Standard{Name: "0806", Title: "Remote Video Terminal Local Set", Version: "4", local: st0806, check: checkedBy{crc32, 1},
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x02, 0, 0, 0}})
	ST0806UserDefined     = define(Standard{Name: "0806 User Defined", Title: "User Defined Local Set", local: rvtUserDefined})
	ST0806PointOfInterest = define(Standard{Name: "0806 POI", Title: "Point of Interest Local Set", local: rvtPoint})
	ST0806AreaOfInterest  = define(Standard{Name: "0806 AOI", Title: "Area of Interest Local Set", local: rvtArea})
)

var st0806 = table{
	1:  {Name: "CRC-32", Format: ChecksumSum, Size: 4},
	2:  {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8},
	3:  {Name: "Platform True Airspeed", Unit: mps, Format: Unsigned, Size: 2},
	4:  {Name: "Platform Indicated Airspeed", Unit: mps, Format: Unsigned, Size: 2},
	5:  {Name: "Telemetry Accuracy Indicator", Format: Bytes},
	6:  {Name: Withheld, Format: Opaque},
	7:  {Name: "Frame Code", Format: Unsigned, Size: 4},
	8:  {Name: "RVT LS Version Number", Format: Unsigned, Size: 1},
	9:  {Name: "Video Data Rate", Unit: "bit/s", Format: Unsigned, Size: 4},
	10: {Name: "Digital Video File Format", Format: Text},
	11: {Name: "User Defined Local Set", Format: Nested, Set: ST0806UserDefined, Repeats: true},
	12: {Name: "Point of Interest Local Set", Format: Nested, Set: ST0806PointOfInterest, Repeats: true},
	13: {Name: "Area of Interest Local Set", Format: Nested, Set: ST0806AreaOfInterest, Repeats: true},
	14: {Name: "MGRS Zone", Format: Unsigned, Size: 1},
	15: {Name: "MGRS Latitude Band and Grid Square", Format: Text, Size: 3},
	16: {Name: "MGRS Easting", Unit: metre, Format: Unsigned, Size: 3},
	17: {Name: "MGRS Northing", Unit: metre, Format: Unsigned, Size: 3},
	18: {Name: "Frame Center MGRS Zone", Format: Unsigned, Size: 1},
	19: {Name: "Frame Center MGRS Latitude Band and Grid Square", Format: Text, Size: 3},
	20: {Name: "Frame Center MGRS Easting", Unit: metre, Format: Unsigned, Size: 3},
	21: {Name: "Frame Center MGRS Northing", Unit: metre, Format: Unsigned, Size: 3},
}

var rvtUserDefined = table{
	1: {Name: "Numeric ID for Data Type", Format: BitFields, Size: 1, Fields: []Field{
		{Row: Row{Name: "Numeric ID", Format: Unsigned, Size: 6}},
		{Row: Row{Name: "Data Type", Format: Enum, Size: 2, Values: []string{"String", "Signed Integer", "Unsigned Integer", "Experimental"}}},
	}},
	2: {Name: "User Data", Format: Bytes},
}

var interest = []string{1: "Friendly", 2: "Hostile", 3: "Target", 4: "Unknown"}

var rvtPoint = table{
	1:  {Name: "POI Number", Format: Unsigned, Size: 2},
	2:  lat("POI Latitude"),
	3:  lon("POI Longitude"),
	4:  {Name: "POI Altitude", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	5:  {Name: "POI Type", Format: Enum, Size: 1, Values: interest},
	6:  {Name: "POI Text", Format: Text},
	7:  {Name: "POI Source Icon", Format: Text},
	8:  {Name: "POI Source ID", Format: Text},
	9:  {Name: "POI Label", Format: Text},
	10: {Name: "Operation ID", Format: Text},
}

var rvtArea = table{
	1:  {Name: "AOI Number", Format: Unsigned, Size: 2},
	2:  lat("Corner Latitude Point 1"),
	3:  lon("Corner Longitude Point 1"),
	4:  lat("Corner Latitude Point 3"),
	5:  lon("Corner Longitude Point 3"),
	6:  {Name: "AOI Type", Format: Enum, Size: 1, Values: interest},
	7:  {Name: "AOI Text", Format: Text},
	8:  {Name: "AOI Source ID", Format: Text},
	9:  {Name: "AOI Label", Format: Text},
	10: {Name: "Operation ID", Format: Text},
}
