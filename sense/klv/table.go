package klv

const (
	px     = "px"
	deg    = "deg"
	metre  = "m"
	mps    = "m/s"
	mbar   = "mbar"
	percnt = "%"
	mm     = "mm"
	hertz  = "Hz"
	halves = "half-circles"
)

// st0601 is MISB ST 0601.19, section 8. Items 60 to 62 and 140 are of a kind that this program does not deal in: they are
// passed over as bytes, without a name, and cannot be made.
var st0601 = table{
	1:   {Name: "Checksum", Format: ChecksumSum, Size: 2},
	2:   {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8},
	3:   {Name: "Mission ID", Format: Text},
	4:   {Name: "Platform Tail Number", Format: Text},
	5:   {Name: "Platform Heading Angle", Unit: deg, Format: ScaledUint, Size: 2, Hi: 360},
	6:   {Name: "Platform Pitch Angle", Unit: deg, Format: ScaledInt, Size: 2, Lo: -20, Hi: 20},
	7:   {Name: "Platform Roll Angle", Unit: deg, Format: ScaledInt, Size: 2, Lo: -50, Hi: 50},
	8:   {Name: "Platform True Airspeed", Unit: mps, Format: Unsigned, Size: 1},
	9:   {Name: "Platform Indicated Airspeed", Unit: mps, Format: Unsigned, Size: 1},
	10:  {Name: "Platform Designation", Format: Text},
	11:  {Name: "Image Source Sensor", Format: Text},
	12:  {Name: "Image Coordinate System", Format: Text},
	13:  {Name: "Sensor Latitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	14:  {Name: "Sensor Longitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	15:  {Name: "Sensor True Altitude", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	16:  {Name: "Sensor Horizontal Field of View", Unit: deg, Format: ScaledUint, Size: 2, Hi: 180},
	17:  {Name: "Sensor Vertical Field of View", Unit: deg, Format: ScaledUint, Size: 2, Hi: 180},
	18:  {Name: "Sensor Relative Azimuth Angle", Unit: deg, Format: ScaledUint, Size: 4, Hi: 360},
	19:  {Name: "Sensor Relative Elevation Angle", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	20:  {Name: "Sensor Relative Roll Angle", Unit: deg, Format: ScaledUint, Size: 4, Hi: 360},
	21:  {Name: "Slant Range", Unit: metre, Format: ScaledUint, Size: 4, Hi: 5e6},
	22:  {Name: "Target Width", Unit: metre, Format: ScaledUint, Size: 2, Hi: 1e4},
	23:  {Name: "Frame Center Latitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	24:  {Name: "Frame Center Longitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	25:  {Name: "Frame Center Elevation", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	26:  {Name: "Offset Corner Latitude Point 1", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	27:  {Name: "Offset Corner Longitude Point 1", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	28:  {Name: "Offset Corner Latitude Point 2", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	29:  {Name: "Offset Corner Longitude Point 2", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	30:  {Name: "Offset Corner Latitude Point 3", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	31:  {Name: "Offset Corner Longitude Point 3", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	32:  {Name: "Offset Corner Latitude Point 4", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	33:  {Name: "Offset Corner Longitude Point 4", Unit: deg, Format: ScaledInt, Size: 2, Lo: -0.075, Hi: 0.075},
	34:  {Name: "Icing Detected", Format: Enum, Size: 1, Values: []string{"Detector Off", "No Icing Detected", "Icing Detected"}},
	35:  {Name: "Wind Direction", Unit: deg, Format: ScaledUint, Size: 2, Hi: 360},
	36:  {Name: "Wind Speed", Unit: mps, Format: ScaledUint, Size: 1, Hi: 100},
	37:  {Name: "Static Pressure", Unit: mbar, Format: ScaledUint, Size: 2, Hi: 5000},
	38:  {Name: "Density Altitude", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	39:  {Name: "Outside Air Temperature", Unit: "C", Format: Signed, Size: 1},
	40:  {Name: "Target Location Latitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	41:  {Name: "Target Location Longitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	42:  {Name: "Target Location Elevation", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	43:  {Name: "Target Track Gate Width", Unit: px, Format: ScaledUint, Size: 1, Hi: 510},
	44:  {Name: "Target Track Gate Height", Unit: px, Format: ScaledUint, Size: 1, Hi: 510},
	45:  {Name: "Target Error Estimate - CE90", Unit: metre, Format: ScaledUint, Size: 2, Hi: 4095},
	46:  {Name: "Target Error Estimate - LE90", Unit: metre, Format: ScaledUint, Size: 2, Hi: 4095},
	47:  {Name: "Generic Flag Data", Format: Unsigned, Size: 1, Bits: []string{1: "Auto-Track", 2: "IR Polarity", 3: "Icing Status", 4: "Slant Range", 5: "Image Invalid"}},
	48:  {Name: "Security Local Set", Format: Nested, Set: ST0102},
	49:  {Name: "Differential Pressure", Unit: mbar, Format: ScaledUint, Size: 2, Hi: 5000},
	50:  {Name: "Platform Angle of Attack", Unit: deg, Format: ScaledInt, Size: 2, Lo: -20, Hi: 20},
	51:  {Name: "Platform Vertical Speed", Unit: mps, Format: ScaledInt, Size: 2, Lo: -180, Hi: 180},
	52:  {Name: "Platform Sideslip Angle", Unit: deg, Format: ScaledInt, Size: 2, Lo: -20, Hi: 20},
	53:  {Name: "Airfield Barometric Pressure", Unit: mbar, Format: ScaledUint, Size: 2, Hi: 5000},
	54:  {Name: "Airfield Elevation", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	55:  {Name: "Relative Humidity", Unit: percnt, Format: ScaledUint, Size: 1, Hi: 100},
	56:  {Name: "Platform Ground Speed", Unit: mps, Format: Unsigned, Size: 1},
	57:  {Name: "Ground Range", Unit: metre, Format: ScaledUint, Size: 4, Hi: 5e6},
	58:  {Name: "Platform Fuel Remaining", Unit: "kg", Format: ScaledUint, Size: 2, Hi: 1e4},
	59:  {Name: "Platform Call Sign", Format: Text},
	60:  {Name: Withheld, Format: Opaque},
	61:  {Name: Withheld, Format: Opaque},
	62:  {Name: Withheld, Format: Opaque},
	63:  {Name: "Sensor Field of View Name", Format: Enum, Size: 1, Values: []string{"Ultranarrow", "Narrow", "Medium", "Wide", "Ultrawide", "Narrow Medium", "2x Ultranarrow", "4x Ultranarrow", "Continuous Zoom"}},
	64:  {Name: "Platform Magnetic Heading", Unit: deg, Format: ScaledUint, Size: 2, Hi: 360},
	65:  {Name: "UAS Datalink LS Version Number", Format: Unsigned, Size: 1},
	66:  {Name: "Deprecated", Format: Bytes},
	67:  {Name: "Alternate Platform Latitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	68:  {Name: "Alternate Platform Longitude", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	69:  {Name: "Alternate Platform Altitude", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	70:  {Name: "Alternate Platform Name", Format: Text},
	71:  {Name: "Alternate Platform Heading", Unit: deg, Format: ScaledUint, Size: 2, Hi: 360},
	72:  {Name: "Event Start Time", Unit: "us", Format: Micros, Size: 8},
	73:  {Name: "RVT Local Set", Format: Nested, Set: ST0806},
	74:  {Name: "VMTI Local Set", Format: Nested, Set: ST0903},
	75:  {Name: "Sensor Ellipsoid Height", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	76:  {Name: "Alternate Platform Ellipsoid Height", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	77:  {Name: "Operational Mode", Format: Enum, Size: 1, Values: []string{"Other", "Operational", "Training", "Exercise", "Maintenance", "Test"}},
	78:  {Name: "Frame Center Height Above Ellipsoid", Unit: metre, Format: ScaledUint, Size: 2, Lo: -900, Hi: 19000},
	79:  {Name: "Sensor North Velocity", Unit: mps, Format: ScaledInt, Size: 2, Lo: -327, Hi: 327},
	80:  {Name: "Sensor East Velocity", Unit: mps, Format: ScaledInt, Size: 2, Lo: -327, Hi: 327},
	81:  {Name: "Image Horizon Pixel Pack", Format: Pack, Fields: imageHorizon},
	82:  {Name: "Corner Latitude Point 1 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	83:  {Name: "Corner Longitude Point 1 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	84:  {Name: "Corner Latitude Point 2 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	85:  {Name: "Corner Longitude Point 2 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	86:  {Name: "Corner Latitude Point 3 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	87:  {Name: "Corner Longitude Point 3 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	88:  {Name: "Corner Latitude Point 4 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	89:  {Name: "Corner Longitude Point 4 (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	90:  {Name: "Platform Pitch Angle (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	91:  {Name: "Platform Roll Angle (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	92:  {Name: "Platform Angle of Attack (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90},
	93:  {Name: "Platform Sideslip Angle (Full)", Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180},
	94:  {Name: "MIIS Core Identifier", Format: CoreIdentifier},
	95:  {Name: "SAR Motion Imagery Local Set", Format: Nested, Set: ST1206, Repeats: true},
	96:  {Name: "Target Width Extended", Unit: metre, Format: IMAPB, Size: 3, Hi: 1.5e6},
	97:  {Name: "Range Image Local Set", Format: Nested, Set: ST1002, Repeats: true},
	98:  {Name: "Geo-Registration Local Set", Format: Nested, Set: ST1601, Repeats: true},
	99:  {Name: "Composite Imaging Local Set", Format: Nested, Set: ST1602, Repeats: true},
	100: {Name: "Segment Local Set", Format: Nested, Set: ST1607, Repeats: true},
	101: {Name: "Amend Local Set", Format: Nested, Set: ST1607, Repeats: true},
	102: {Name: "SDCC-FLP", Format: SDCCPack, Repeats: true},
	103: {Name: "Density Altitude Extended", Unit: metre, Format: IMAPB, Size: 3, Lo: -900, Hi: 40000},
	104: {Name: "Sensor Ellipsoid Height Extended", Unit: metre, Format: IMAPB, Size: 3, Lo: -900, Hi: 40000},
	105: {Name: "Alternate Platform Ellipsoid Height Extended", Unit: metre, Format: IMAPB, Size: 3, Lo: -900, Hi: 40000},
	106: {Name: "Stream Designator", Format: Text},
	107: {Name: "Operational Base", Format: Text},
	108: {Name: "Broadcast Source", Format: Text},
	109: {Name: "Range To Recovery Location", Unit: "km", Format: IMAPB, Size: 3, Hi: 21000},
	110: {Name: "Time Airborne", Unit: "s", Format: Unsigned},
	111: {Name: "Propulsion Unit Speed", Unit: "rpm", Format: Unsigned},
	112: {Name: "Platform Course Angle", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	113: {Name: "Altitude AGL", Unit: metre, Format: IMAPB, Size: 3, Lo: -900, Hi: 40000},
	114: {Name: "Radar Altimeter", Unit: metre, Format: IMAPB, Size: 3, Lo: -900, Hi: 40000},
	115: {Name: "Control Command", Format: Pack, Fields: controlCommand, Repeats: true},
	116: {Name: "Control Command Verification List", Format: List, Entry: &Field{Row: Row{Name: "Command ID", Format: BEROID}, Ends: Self}},
	117: {Name: "Sensor Azimuth Rate", Unit: "deg/s", Format: IMAPB, Size: 2, Lo: -1000, Hi: 1000},
	118: {Name: "Sensor Elevation Rate", Unit: "deg/s", Format: IMAPB, Size: 2, Lo: -1000, Hi: 1000},
	119: {Name: "Sensor Roll Rate", Unit: "deg/s", Format: IMAPB, Size: 2, Lo: -1000, Hi: 1000},
	120: {Name: "On-board MI Storage Percent Full", Unit: percnt, Format: IMAPB, Size: 2, Hi: 100},
	121: {Name: "Active Wavelength List", Format: List, Entry: &Field{Row: Row{Name: "Wavelength ID", Format: BEROID}, Ends: Self}},
	122: {Name: "Country Codes", Format: Pack, Fields: countryCodes},
	123: {Name: "Number of NAVSATs in View", Format: Unsigned, Size: 1},
	124: {Name: "Positioning Method Source", Format: Unsigned, Size: 1, Bits: []string{"On-board INS", "GPS", "Galileo", "QZSS", "NAVIC", "GLONASS", "BeiDou-1", "BeiDou-2"}},
	125: {Name: "Platform Status", Format: Enum, Size: 1, Values: []string{"Active", "Pre-flight", "Pre-flight-taxiing", "Run-up", "Take-off", "Ingress", "Manual operation", "Automated-orbit", "Transitioning", "Egress", "Landing", "Landed-taxiing", "Landed-Parked"}},
	126: {Name: "Sensor Control Mode", Format: Enum, Size: 1, Values: []string{"Off", "Home Position", "Uncontrolled", "Manual Control", "Calibrating", "Auto - Holding Position", "Auto - Tracking"}},
	127: {Name: "Sensor Frame Rate Pack", Format: Pack, Fields: frameRate, Repeats: true},
	128: {Name: "Wavelengths List", Format: List, Entry: &Field{Row: Row{Name: "Wavelength Record", Format: Pack, Fields: wavelength}, Ends: Told}},
	129: {Name: "Target ID", Format: Text},
	130: {Name: "Airbase Locations", Format: Pack, Fields: airbases},
	131: {Name: "Take-off Time", Unit: "us", Format: Micros},
	132: {Name: "Transmission Frequency", Unit: "MHz", Format: IMAPB, Size: 3, Lo: 1, Hi: 99999},
	133: {Name: "On-board MI Storage Capacity", Unit: "GB", Format: Unsigned},
	134: {Name: "Zoom Percentage", Unit: percnt, Format: IMAPB, Size: 2, Hi: 100},
	135: {Name: "Communications Method", Format: Text},
	136: {Name: "Leap Seconds", Unit: "s", Format: Signed},
	137: {Name: "Correction Offset", Unit: "us", Format: Signed},
	138: {Name: "Payload List", Format: List, Counted: true, Entry: &Field{Row: Row{Name: "Payload Record", Format: Pack, Fields: payload}, Ends: Told}},
	139: {Name: "Active Payloads", Format: BitList},
	140: {Name: Withheld, Format: Opaque},
	141: {Name: "Waypoint List", Format: List, Entry: &Field{Row: Row{Name: "Waypoint Record", Format: Pack, Fields: waypoint}, Ends: Told}},
	142: {Name: "View Domain", Format: Pack, Fields: viewDomain},
	143: {Name: "Metadata Substream ID Pack", Format: Pack, Fields: substream},
}

// Withheld stands for the name of an item that is kept as bytes and neither named, read nor made.
const Withheld = "Withheld Item"

// st0102 is MISB ST 0102.12, table 2.
var st0102 = table{
	1:  {Name: "Security Classification", Format: Enum, Size: 1, Values: []string{1: "UNCLASSIFIED", 2: "RESTRICTED", 3: "CONFIDENTIAL", 4: "SECRET", 5: "TOP SECRET"}},
	2:  {Name: "Classifying Country and Releasing Instructions Country Coding Method", Format: Enum, Size: 1, Values: countryCoding},
	3:  {Name: "Classifying Country", Format: Text},
	4:  {Name: "Security-SCI/SHI Information", Format: Text},
	5:  {Name: "Caveats", Format: Text},
	6:  {Name: "Releasing Instructions", Format: Text},
	7:  {Name: "Classified By", Format: Text},
	8:  {Name: "Derived From", Format: Text},
	9:  {Name: "Classification Reason", Format: Text},
	10: {Name: "Declassification Date", Format: Text},
	11: {Name: "Classification and Marking System", Format: Text},
	12: {Name: "Object Country Coding Method", Format: Enum, Size: 1, Values: objectCountryCoding},
	13: {Name: "Object Country Codes", Format: TextUTF16},
	14: {Name: "Classification Comments", Format: Text},
	15: {Name: "UMID Video", Format: Bytes},
	16: {Name: "UMID Audio", Format: Bytes},
	17: {Name: "UMID Data", Format: Bytes},
	18: {Name: "UMID System", Format: Bytes},
	19: {Name: "Stream ID", Format: Unsigned, Size: 1},
	20: {Name: "Transport Stream ID", Format: Unsigned, Size: 2},
	21: {Name: "Item Designator ID", Format: Bytes},
	22: {Name: "Version", Format: Unsigned, Size: 2},
	23: {Name: "Classifying Country and Releasing Instructions Country Coding Method Version Date", Format: Text},
	24: {Name: "Object Country Coding Method Version Date", Format: Text},
}

// st0102Universal is the universal set of MISB ST 0102.12, table 1. What the local set enumerates is text here: the classification as
// "UNCLASSIFIED//", the coding methods by their names.
var st0102Universal = []universalRow{
	{sm(0x01010103, 0x0208020100000000), Row{Name: "Security Classification", Format: Text}},
	{sm(0x01010103, 0x0701200102070000), Row{Name: "Classifying Country and Releasing Instructions Country Coding Method", Format: Text}},
	{sm(0x01010103, 0x0701200102080000), Row{Name: "Classifying Country", Format: Text}},
	{sm(0x01010101, 0x0e01020302000000), Row{Name: "Security-SCI/SHI Information", Format: Text}},
	{sm(0x01010103, 0x0208020200000000), Row{Name: "Caveats", Format: Text}},
	{sm(0x01010103, 0x0701200102090000), Row{Name: "Releasing Instructions", Format: Text}},
	{sm(0x01010103, 0x0208020300000000), Row{Name: "Classified By", Format: Text}},
	{sm(0x01010103, 0x0208020600000000), Row{Name: "Derived From", Format: Text}},
	{sm(0x01010103, 0x0208020400000000), Row{Name: "Classification Reason", Format: Text}},
	{sm(0x01010103, 0x0208020500000000), Row{Name: "Declassification Date", Format: Text}},
	{sm(0x01010103, 0x0208020800000000), Row{Name: "Classification and Marking System", Format: Text}},
	{sm(0x01010103, 0x0701200102060000), Row{Name: "Object Country Coding Method", Format: Text}},
	{sm(0x01010103, 0x0701200102010100), Row{Name: "Object Country Codes", Format: TextUTF16}},
	{sm(0x01010103, 0x0208020700000000), Row{Name: "Classification Comments", Format: Text}},
	{sm(0x01010103, 0x0103040200000000), Row{Name: "Stream ID", Format: Unsigned, Size: 1}},
	{sm(0x01010103, 0x0103040300000000), Row{Name: "Transport Stream ID", Format: Unsigned, Size: 2}},
	{sm(0x01010103, 0x0103060100000000), Row{Name: "Item Designator ID", Format: Bytes}},
	{sm(0x01010101, 0x0e01020504000000), Row{Name: "Version", Format: Unsigned, Size: 2}},
	{sm(0x01010101, 0x0e01040303000000), Row{Name: "Classifying Country and Releasing Instructions Country Coding Method Version Date", Format: Text}},
	{sm(0x01010101, 0x0e01040304000000), Row{Name: "Object Country Coding Method Version Date", Format: Text}},
}

type universalRow struct {
	key UL
	Row
}

// sm is a SMPTE item label: the common first four bytes and the twelve that tell items apart.
func sm(hi uint32, lo uint64) (u UL) {
	copy(u[:], keyPrefix[:])
	putUint(u[4:8], uint64(hi))
	putUint(u[8:], lo)
	return u
}

// eg0104 is the universal set of MISB EG 0104.5, section 4, with the labels as ST 0601.12, section 8, lists them beside the
// local items. Altitudes are above mean sea level.
var eg0104 = []universalRow{
	{sm(0x01010103, 0x0702010101050000), Row{Name: "User Defined Time Stamp", Unit: "us", Format: Micros, Size: 8, Twin: 2}},
	{sm(0x01010103, 0x0701020102040200), Row{Name: "Device Latitude", Unit: deg, Format: Float, Twin: 13}},
	{sm(0x01010103, 0x0701020102060200), Row{Name: "Device Longitude", Unit: deg, Format: Float, Twin: 14}},
	{sm(0x01010101, 0x0701020102020000), Row{Name: "Device Altitude", Unit: metre, Format: Float, Twin: 15}},
	{sm(0x01010107, 0x0701100106000000), Row{Name: "Platform Heading Angle", Unit: deg, Format: Float, Twin: 5}},
	{sm(0x01010107, 0x0701100105000000), Row{Name: "Platform Pitch Angle", Unit: deg, Format: Float, Twin: 90}},
	{sm(0x01010107, 0x0701100104000000), Row{Name: "Platform Roll Angle", Unit: deg, Format: Float, Twin: 91}},
	{sm(0x01010102, 0x0420020101080000), Row{Name: "Field of View (Horizontal)", Unit: deg, Format: Float, Twin: 16}},
	{sm(0x01010107, 0x04200201010a0100), Row{Name: "Field of View (Vertical)", Unit: deg, Format: Float, Twin: 17}},
	{sm(0x01010101, 0x0701080101000000), Row{Name: "Slant Range", Unit: metre, Format: Float, Twin: 21}},
	{sm(0x01010101, 0x0701090201000000), Row{Name: "Target Width", Unit: metre, Format: Float, Twin: 22}},
	{sm(0x01010101, 0x0701100102000000), Row{Name: "Angle to North", Unit: deg, Format: Float}},
	{sm(0x01010101, 0x0701100103000000), Row{Name: "Obliquity Angle", Unit: deg, Format: Float}},
	{sm(0x01010101, 0x0701100101000000), Row{Name: "Sensor Roll Angle", Unit: deg, Format: Float}},
	{sm(0x01010101, 0x0701020103020000), Row{Name: "Frame Center Latitude", Unit: deg, Format: Float, Twin: 23}},
	{sm(0x01010101, 0x0701020103040000), Row{Name: "Frame Center Longitude", Unit: deg, Format: Float, Twin: 24}},
	{sm(0x0101010a, 0x0701020103160000), Row{Name: "Frame Center Elevation", Unit: metre, Format: Float, Twin: 25}},
	{sm(0x01010103, 0x0701020103070100), Row{Name: "Corner Latitude Point 1", Unit: deg, Format: Float, Twin: 82}},
	{sm(0x01010103, 0x07010201030b0100), Row{Name: "Corner Longitude Point 1", Unit: deg, Format: Float, Twin: 83}},
	{sm(0x01010103, 0x0701020103080100), Row{Name: "Corner Latitude Point 2", Unit: deg, Format: Float, Twin: 84}},
	{sm(0x01010103, 0x07010201030c0100), Row{Name: "Corner Longitude Point 2", Unit: deg, Format: Float, Twin: 85}},
	{sm(0x01010103, 0x0701020103090100), Row{Name: "Corner Latitude Point 3", Unit: deg, Format: Float, Twin: 86}},
	{sm(0x01010103, 0x07010201030d0100), Row{Name: "Corner Longitude Point 3", Unit: deg, Format: Float, Twin: 87}},
	{sm(0x01010103, 0x07010201030a0100), Row{Name: "Corner Latitude Point 4", Unit: deg, Format: Float, Twin: 88}},
	{sm(0x01010103, 0x07010201030e0100), Row{Name: "Corner Longitude Point 4", Unit: deg, Format: Float, Twin: 89}},
	{sm(0x01010101, 0x0101200100000000), Row{Name: "Device Designation", Format: Text, Twin: 10}},
	{sm(0x01010101, 0x0420010201010000), Row{Name: "Image Source Device", Format: Text, Twin: 11}},
	{sm(0x01010101, 0x0701010100000000), Row{Name: "Image Coordinate System", Format: Text, Twin: 12}},
	{sm(0x01010101, 0x0105050000000000), Row{Name: "Episode Number", Format: Text, Twin: 3}},
	{sm(0x01010101, 0x0702010201010000), Row{Name: "Start Date Time", Format: Text}},
	{sm(0x01010101, 0x0702010207010000), Row{Name: "Event Start Date Time", Format: Text}},
	{sm(0x02030101, 0x0e01030302000000), Row{Name: "Security Local Set", Format: Nested, Set: ST0102, Twin: 48}},
}

// Row is what the standard says of a local tag, nil when it does not list it.
func (std *Standard) Row(tag uint32) *Row { return std.local.row(tag) }

// The labels of the universal set that point the sensor by itself, without the platform's attitude: they have no twin.
var (
	AngleToNorth = sm(0x01010101, 0x0701100102000000)
	Obliquity    = sm(0x01010101, 0x0701100103000000)
)
