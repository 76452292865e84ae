package klv

// The sets about images and sensors that ST 0601 holds in items 95 and 97 to 101, and those that stand alone beside it.

var (
	ST1002 = define(Standard{Name: "1002", Title: "Range Motion Imagery Local Set", Version: "3", local: st1002, check: checkedBy{crc16, 21}, Key: local(0x0c)})
	ST1107 = define(Standard{Name: "1107", Title: "Metric Geopositioning Local Set", local: st1107, check: checkedBy{crc16, 45}, Key: local(0x22)})
	ST1108 = define(Standard{Name: "1108", Title: "Interpretability and Quality Local Set", Version: "3", local: st1108, check: checkedBy{crc16, 11},
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x1c, 0, 0, 0}})
	ST1108Metric = define(Standard{Name: "1108 Metric", Title: "Metric Local Set", local: st1108Metric})
	ST1202       = define(Standard{Name: "1202", Title: "Generalized Transformation Local Set", Version: "3", local: st1202,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x05, 0, 0, 0}})
	ST1206 = define(Standard{Name: "1206", Title: "SAR Motion Imagery Local Set", Version: "1", local: st1206, Key: local(0x0d)})
	ST1601 = define(Standard{Name: "1601", Title: "Geo-Registration Local Set", Version: "2", local: st1601, Key: local(0x01)})
	ST1602 = define(Standard{Name: "1602", Title: "Composite Imaging Local Set", Version: "2", local: st1602, Key: local(0x02)})
	// ST1607 is a child set, Segment or Amend: it adds to the ST 0601 set around it, or says otherwise, with the same items.
	ST1607 = &Standard{Name: "1607", Title: "Segment and Amend Local Sets", Version: "2"}
)

// local is the key of a local set registered by MISB under 0e.01.03.03.
func local(n byte) UL {
	return UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, n, 0, 0, 0}
}

// st1002 is MISB ST 1002.3, table 1.
var st1002 = table{
	1:  {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8},
	11: {Name: "Document Version", Format: BEROID},
	12: {Name: "Range Image Enumerations", Format: BitFields, Size: 1, Fields: []Field{
		{Row: Row{Name: "Compression Method", Format: Enum, Size: 3, Values: []string{"No Compression", "Planar Fit"}}},
		{Row: Row{Name: "Data Type", Format: Enum, Size: 3, Values: []string{"Perspective Range Image", "Depth Range Image"}}},
		{Row: Row{Name: "Source", Format: Enum, Size: 1, Values: []string{"Computationally Extracted", "Range Sensor"}}},
	}},
	13: {Name: "Single Point Range Measurement", Unit: metre, Format: Float},
	14: {Name: "Single Point Range Measurement Uncertainty", Unit: metre, Format: Float},
	15: {Name: "Single Point Range Measurement Row", Unit: px, Format: Float},
	16: {Name: "Single Point Range Measurement Column", Unit: px, Format: Float},
	17: {Name: "Number of Sections in X", Format: BEROID},
	18: {Name: "Number of Sections in Y", Format: BEROID},
	19: {Name: "Generalized Transformation Local Set", Format: Nested, Set: ST1202},
	20: {Name: "Section Data Pack", Format: Pack, Repeats: true, Fields: []Field{
		{Row: Row{Name: "Section Number X", Format: BEROID}, Ends: Told},
		{Row: Row{Name: "Section Number Y", Format: BEROID}, Ends: Told},
		{Row: Row{Name: "Array of Range Measurements", Unit: metre, Format: MDArray, Entry: &Field{Row: Row{Format: Float}}}, Ends: Told},
		{Row: Row{Name: "Array of Uncertainty Measurements", Unit: metre, Format: MDArray, Entry: &Field{Row: Row{Format: Float}}}, Ends: Told, Optional: true},
		{Row: Row{Name: "Plane Fit X-Scale", Format: Float}, Ends: Told, Optional: true},
		{Row: Row{Name: "Plane Fit Y-Scale", Format: Float}, Ends: Told, Optional: true},
		{Row: Row{Name: "Plane Fit Constant", Format: Float}, Ends: Told, Optional: true},
	}},
	21: {Name: "CRC-16-CCITT", Format: ChecksumSum, Size: 2},
	22: {Name: "Leap Seconds", Unit: "s", Format: Signed},
}

// st1107 is the table of MISB ST 1107; half-circles are half turns, pi radians. Item 41 is of a kind that this program does not deal in.
var st1107 = table{
	1:  {Name: "Sensor ECEF Position Component X", Unit: metre, Format: IMAPB, Size: 8, Lo: -1e9, Hi: 1e9, SigmaHi: 650},
	2:  {Name: "Sensor ECEF Position Component Y", Unit: metre, Format: IMAPB, Size: 8, Lo: -1e9, Hi: 1e9, SigmaHi: 650},
	3:  {Name: "Sensor ECEF Position Component Z", Unit: metre, Format: IMAPB, Size: 8, Lo: -1e9, Hi: 1e9, SigmaHi: 650},
	4:  {Name: "Sensor ECEF Velocity Component X", Unit: mps, Format: IMAPB, Size: 4, Lo: -25e3, Hi: 25e3, SigmaHi: 70},
	5:  {Name: "Sensor ECEF Velocity Component Y", Unit: mps, Format: IMAPB, Size: 4, Lo: -25e3, Hi: 25e3, SigmaHi: 70},
	6:  {Name: "Sensor ECEF Velocity Component Z", Unit: mps, Format: IMAPB, Size: 4, Lo: -25e3, Hi: 25e3, SigmaHi: 70},
	7:  {Name: "Sensor Absolute Azimuth", Unit: halves, Format: IMAPB, Size: 4, Hi: 2, SigmaHi: 0.2},
	8:  {Name: "Sensor Absolute Pitch", Unit: halves, Format: IMAPB, Size: 4, Lo: -1, Hi: 1, SigmaHi: 0.2},
	9:  {Name: "Sensor Absolute Roll", Unit: halves, Format: IMAPB, Size: 4, Lo: -1, Hi: 1, SigmaHi: 0.2},
	10: {Name: "Sensor Absolute Azimuth Rate", Unit: halves + "/s", Format: IMAPB, Size: 4, Lo: -1, Hi: 1, SigmaHi: 1},
	11: {Name: "Sensor Absolute Pitch Rate", Unit: halves + "/s", Format: IMAPB, Size: 4, Lo: -1, Hi: 1, SigmaHi: 1},
	12: {Name: "Sensor Absolute Roll Rate", Unit: halves + "/s", Format: IMAPB, Size: 4, Lo: -1, Hi: 1, SigmaHi: 1},
	13: {Name: "Boresight Offset Delta X", Unit: metre, Format: IMAPB, Size: 4, Lo: -300, Hi: 300, SigmaHi: 650},
	14: {Name: "Boresight Offset Delta Y", Unit: metre, Format: IMAPB, Size: 4, Lo: -300, Hi: 300, SigmaHi: 650},
	15: {Name: "Boresight Offset Delta Z", Unit: metre, Format: IMAPB, Size: 4, Lo: -300, Hi: 300, SigmaHi: 650},
	16: {Name: "Boresight Delta Angle 1", Unit: halves, Format: IMAPB, Size: 4, Lo: -0.25, Hi: 0.25, SigmaHi: 2},
	17: {Name: "Boresight Delta Angle 2", Unit: halves, Format: IMAPB, Size: 4, Lo: -0.25, Hi: 0.25, SigmaHi: 2},
	18: {Name: "Boresight Delta Angle 3", Unit: halves, Format: IMAPB, Size: 4, Lo: -0.25, Hi: 0.25, SigmaHi: 2},
	19: {Name: "Focal Plane Principal Point Offset Y", Unit: mm, Format: IMAPB, Size: 4, Lo: -25, Hi: 25, SigmaHi: 1},
	20: {Name: "Focal Plane Principal Point Offset X", Unit: mm, Format: IMAPB, Size: 4, Lo: -25, Hi: 25, SigmaHi: 1},
	21: {Name: "Sensor Calibrated/Effective Focal Length", Unit: mm, Format: IMAPB, Size: 4, Hi: 1e4, SigmaHi: 350},
	22: {Name: "Radial Distortion Constant Parameter", Format: Float},
	23: {Name: "First Radial Distortion Parameter", Format: Float},
	24: {Name: "Second Radial Distortion Parameter", Format: Float},
	25: {Name: "Third Radial Distortion Parameter", Format: Float},
	26: {Name: "First Tangential/Decentering Parameter", Format: Float},
	27: {Name: "Second Tangential/Decentering Parameter", Format: Float},
	28: {Name: "Third Tangential/Decentering Parameter", Format: Float},
	29: {Name: "Differential Scale Affine Parameter", Format: Float},
	30: {Name: "Skewness Affine Parameter", Format: Float},
	31: {Name: "Slant Range", Unit: metre, Format: Float, SigmaHi: 650},
	32: {Name: "SDCC-FLP", Format: SDCCPack, Repeats: true},
	33: {Name: "Generalized Transformation Local Set", Format: Nested, Set: ST1202, Repeats: true},
	34: {Name: "Image Rows", Unit: px, Format: Unsigned, Size: 2},
	35: {Name: "Image Columns", Unit: px, Format: Unsigned, Size: 2},
	36: {Name: "Pixel Size X", Unit: mm, Format: IMAPB, Size: 2, Lo: 1e-4, Hi: 1e-1},
	37: {Name: "Pixel Size Y", Unit: mm, Format: IMAPB, Size: 2, Lo: 1e-4, Hi: 1e-1},
	38: {Name: "Slant Range Pedigree", Format: Enum, Size: 1, Values: []string{"Other", "Measured", "Calculated"}},
	39: {Name: "Measured Line Coordinate for Range", Unit: px, Format: Float},
	40: {Name: "Measured Sample Coordinate for Range", Unit: px, Format: Float},
	41: {Name: Withheld, Format: Opaque},
	42: {Name: "Valid Range of Radial Distortion", Unit: mm, Format: Float},
	43: {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8},
	44: {Name: "Document Version", Format: BEROID},
	45: {Name: "CRC-16-CCITT", Format: ChecksumSum, Size: 2},
	46: {Name: "Leap Seconds", Unit: "s", Format: Signed},
	47: {Name: "Sensor Calibrated/Effective Focal Length Extended", Unit: mm, Format: IMAPB, Size: 4, Hi: 1e5, SigmaHi: 350},
}

// st1108 is MISB ST 1108.3, table 1, and st1108Metric its table 5.
var st1108 = table{
	1: {Name: "Assessment Point", Format: Enum, Size: 1, Values: []string{1: "Sensor", 2: "Sensor Encoder", 3: "GCS Received", 4: "GCS Transmit", 5: "Archive"}},
	2: {Name: "Metric Period Pack", Format: Pack, Fields: []Field{
		{Row: Row{Name: "Start Time", Unit: "us", Format: Micros, Size: 8}},
		{Row: Row{Name: "Time Offset", Unit: "us", Format: Unsigned, Size: 4}},
	}},
	3: {Name: "Window Corners Pack", Format: Pack, Fields: []Field{
		{Row: Row{Name: "Starting Row", Unit: px, Format: BEROID}, Ends: Self},
		{Row: Row{Name: "Starting Column", Unit: px, Format: BEROID}, Ends: Self},
		{Row: Row{Name: "Ending Row", Unit: px, Format: BEROID}, Ends: Self},
		{Row: Row{Name: "Ending Column", Unit: px, Format: BEROID}, Ends: Self},
	}},
	4:  {Name: "Metric Local Set", Format: Nested, Set: ST1108Metric, Repeats: true},
	5:  {Name: "Compression Type", Format: Enum, Size: 1, Values: []string{"Uncompressed", "H.262", "H.264", "H.265", "JPEG2000"}},
	6:  {Name: "Compression Profile", Format: Enum, Size: 1, Values: []string{"Uncompressed", "Main (H.264)", "Main 10 (H.265)", "Constrained Baseline (H.264)", "High (H.264)", "Main 4:2:2 12 (H.265)", "Main 4:4:4 12 (H.265)", "High 4:2:2 (H.264)", "High 4:4:4 Predictive (H.264)"}},
	7:  {Name: "Compression Level", Format: Text},
	8:  {Name: "Compression Ratio", Format: Float},
	9:  {Name: "Stream Bitrate", Unit: "kbit/s", Format: Unsigned, Size: 2},
	10: {Name: "Document Version", Format: Unsigned, Size: 1},
	11: {Name: "CRC-16-CCITT", Format: ChecksumSum, Size: 2},
}

var st1108Metric = table{
	1: {Name: "Metric Name", Format: Text},
	2: {Name: "Metric Version", Format: Text},
	3: {Name: "Metric Implementer", Format: Pack, Fields: []Field{
		{Row: Row{Name: "Organization", Format: Text}, Ends: Parted},
		{Row: Row{Name: "Subgroup", Format: Text}, Ends: AtEnd, Optional: true},
	}},
	4: {Name: "Metric Parameters", Format: Text},
	5: {Name: "Metric Time", Unit: "us", Format: Micros, Size: 8},
	6: {Name: "Metric Value", Format: Float},
}

// st1202 is MISB ST 1202.3, table 1: A to H of x' = ((1-A)x+By+C)/(Gx+Hy+1), y' = (Dx+(1-E)y+F)/(Gx+Hy+1); one that is absent is zero.
var st1202 = table{
	1:  {Name: "X Equation Numerator - X Factor", Format: Float},
	2:  {Name: "X Equation Numerator - Y Factor", Format: Float},
	3:  {Name: "X Equation Numerator - Constant", Format: Float},
	4:  {Name: "Y Equation Numerator - X Factor", Format: Float},
	5:  {Name: "Y Equation Numerator - Y Factor", Format: Float},
	6:  {Name: "Y Equation Numerator - Constant", Format: Float},
	7:  {Name: "Denominator - X Factor", Format: Float},
	8:  {Name: "Denominator - Y Factor", Format: Float},
	9:  {Name: "SDCC-FLP", Format: SDCCPack, Repeats: true},
	10: {Name: "Document Version", Format: Unsigned, Size: 1},
	11: {Name: "Transformation Enumeration", Format: Enum, Size: 1, Values: []string{"Not Defined", "Chipping", "Child-Parent", "Default Pixel-to-Image", "Optical"}},
}

// st1206 is MISB ST 1206.1, table 1.
var st1206 = table{
	1:  {Name: "Grazing Angle", Unit: deg, Format: IMAPB, Size: 2, Hi: 90},
	2:  {Name: "Ground Plane Squint Angle", Unit: deg, Format: IMAPB, Size: 2, Lo: -90, Hi: 90},
	3:  {Name: "Look Direction", Format: Enum, Size: 1, Values: []string{"Left", "Right"}},
	4:  {Name: "Image Plane", Format: Enum, Size: 1, Values: []string{"Slant", "Ground", "Other"}},
	5:  {Name: "Range Resolution", Unit: metre, Format: IMAPB, Size: 4, Hi: 1e6},
	6:  {Name: "Cross-Range Resolution", Unit: metre, Format: IMAPB, Size: 4, Hi: 1e6},
	7:  {Name: "Range Image Plane Pixel Size", Unit: metre, Format: IMAPB, Size: 4, Hi: 1e6},
	8:  {Name: "Cross-Range Image Plane Pixel Size", Unit: metre, Format: IMAPB, Size: 4, Hi: 1e6},
	9:  {Name: "Image Rows", Unit: px, Format: Unsigned, Size: 2},
	10: {Name: "Image Columns", Unit: px, Format: Unsigned, Size: 2},
	11: {Name: "Range Direction Angle Relative to True North", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	12: {Name: "True North Direction Relative to Top Image Edge", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	13: {Name: "Range Layover Angle Relative to True North", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	14: {Name: "Ground Aperture Angular Extent", Unit: deg, Format: IMAPB, Size: 2, Hi: 90},
	15: {Name: "Aperture Duration", Unit: "us", Format: Unsigned, Size: 4},
	16: {Name: "Ground Track Angle", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	17: {Name: "Minimum Detectable Velocity", Unit: mps, Format: IMAPB, Size: 2, Hi: 100},
	18: {Name: "True Pulse Repetition Frequency", Unit: hertz, Format: IMAPB, Size: 4, Hi: 1e6},
	19: {Name: "Pulse Repetition Frequency Scale Factor", Format: IMAPB, Size: 2, Hi: 1},
	20: {Name: "Transmit RF Center Frequency", Unit: hertz, Format: IMAPB, Size: 4, Hi: 1e12},
	21: {Name: "Transmit RF Bandwidth", Unit: hertz, Format: IMAPB, Size: 4, Hi: 1e11},
	22: {Name: "Radar Cross Section Scale Factor Polynomial", Format: MDArray, Entry: &Field{Row: Row{Format: IMAPB, Size: 4, Hi: 1e6}}},
	23: {Name: "Reference Frame Precision Time Stamp", Unit: "us", Format: Micros, Size: 8},
	24: {Name: "Reference Frame Grazing Angle", Unit: deg, Format: IMAPB, Size: 2, Hi: 90},
	25: {Name: "Reference Frame Ground Plane Squint Angle", Unit: deg, Format: IMAPB, Size: 2, Lo: -90, Hi: 90},
	26: {Name: "Reference Frame Range Direction Angle Relative to True North", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	27: {Name: "Reference Frame Range Layover Angle Relative to True North", Unit: deg, Format: IMAPB, Size: 2, Hi: 360},
	28: {Name: "Document Version", Format: Unsigned, Size: 1},
}

// st1601 is MISB ST 1601.2, table 1. The deviations of items 9 and 10 are ST 1201 integers whose range goes by their row.
var st1601 = table{
	1:  {Name: "Document Version", Format: Unsigned},
	2:  {Name: "Algorithm Name", Format: Text},
	3:  {Name: "Algorithm Version", Format: Text},
	4:  {Name: "Correspondence Points - Row/Column", Unit: px, Format: MDArray, Entry: &Field{Row: Row{Format: Unsigned}}},
	5:  {Name: "Correspondence Points - Latitude/Longitude", Unit: deg, Format: MDArray, Entry: &Field{Row: Row{Format: Float}}},
	6:  {Name: "Second Image Name", Format: Text},
	7:  {Name: "Algorithm Configuration Identifier", Format: Identifier, Size: 16},
	8:  {Name: "Correspondence Points - Elevation", Unit: metre, Format: MDArray, Entry: &Field{Row: Row{Format: Float}}},
	9:  {Name: "Correspondence Points SDCC - Row/Column", Format: MDArray, Fields: deviations(0, 100, 0, 100, -1, 1, 0, 100, 0, 100, -1, 1)},
	10: {Name: "Correspondence Points SDCC - Latitude/Longitude/Elevation", Format: MDArray, Fields: deviations(0, 650, 0, 650, -1, 1, 0, 1000, -1, 1, -1, 1)},
}

// deviations are the rows of an array by the ends of their ranges.
func deviations(ends ...float64) (f []Field) {
	for i := 0; i < len(ends); i += 2 {
		f = append(f, Field{Row: Row{Name: "Row", Format: IMAPB, Size: 2, Lo: ends[i], Hi: ends[i+1]}})
	}
	return f
}

// st1602 is MISB ST 1602.2, table 1.
var st1602 = table{
	1:  {Name: "Precision Time Stamp", Unit: "us", Format: Micros, Size: 8},
	2:  {Name: "Document Version", Format: BEROID},
	3:  {Name: "Source Image Rows", Unit: px, Format: Unsigned},
	4:  {Name: "Source Image Columns", Unit: px, Format: Unsigned},
	5:  {Name: "Source Image AOI Rows", Unit: px, Format: Unsigned},
	6:  {Name: "Source Image AOI Columns", Unit: px, Format: Unsigned},
	7:  {Name: "Source Image AOI Position X", Unit: px, Format: Signed},
	8:  {Name: "Source Image AOI Position Y", Unit: px, Format: Signed},
	9:  {Name: "Sub-Image Rows", Unit: px, Format: Unsigned},
	10: {Name: "Sub-Image Columns", Unit: px, Format: Unsigned},
	11: {Name: "Sub-Image Position X", Unit: px, Format: Signed},
	12: {Name: "Sub-Image Position Y", Unit: px, Format: Signed},
	13: {Name: "Active Sub-Image Rows", Unit: px, Format: Unsigned},
	14: {Name: "Active Sub-Image Columns", Unit: px, Format: Unsigned},
	15: {Name: "Active Sub-Image Offset X", Unit: px, Format: Signed},
	16: {Name: "Active Sub-Image Offset Y", Unit: px, Format: Signed},
	17: {Name: "Transparency", Format: Unsigned, Size: 1},
	18: {Name: "Z-Order", Format: Unsigned, Size: 1},
}
