package klv

// The packs of MISB ST 0601.19, section 8, by the item that holds them. Where a field may be left out, so may all after it; a field
// that is told its length may also be of zero length, "not given".

func lat(name string) Row {
	return Row{Name: name, Unit: deg, Format: ScaledInt, Size: 4, Lo: -90, Hi: 90}
}
func lon(name string) Row {
	return Row{Name: name, Unit: deg, Format: ScaledInt, Size: 4, Lo: -180, Hi: 180}
}

// imageHorizon is item 81: two points on the frame's edge in percent of its width and height, and where they lie.
var imageHorizon = []Field{
	{Row: Row{Name: "Start x0", Unit: percnt, Format: Unsigned, Size: 1}},
	{Row: Row{Name: "Start y0", Unit: percnt, Format: Unsigned, Size: 1}},
	{Row: Row{Name: "End x1", Unit: percnt, Format: Unsigned, Size: 1}},
	{Row: Row{Name: "End y1", Unit: percnt, Format: Unsigned, Size: 1}},
	{Row: lat("Start Latitude"), Optional: true},
	{Row: lon("Start Longitude"), Optional: true},
	{Row: lat("End Latitude"), Optional: true},
	{Row: lon("End Longitude"), Optional: true},
}

// controlCommand is item 115.
var controlCommand = []Field{
	{Row: Row{Name: "Command ID", Format: BEROID}, Ends: Self},
	{Row: Row{Name: "Command String", Format: Text}, Ends: Told},
	{Row: Row{Name: "Command Time", Unit: "us", Format: Micros, Size: 8}, Optional: true},
}

// countryCodes is item 122.
var countryCodes = []Field{
	{Row: Row{Name: "Country Coding Method", Format: Enum, Values: objectCountryCoding}, Ends: Told},
	{Row: Row{Name: "Overflight Country", Format: Text}, Ends: Told},
	{Row: Row{Name: "Operator Country", Format: Text}, Ends: Told, Optional: true},
	{Row: Row{Name: "Country of Manufacture", Format: Text}, Ends: Told, Optional: true},
}

// frameRate is item 127; without a denominator it is 1.
var frameRate = []Field{
	{Row: Row{Name: "Frame Rate Numerator", Format: BEROID}, Ends: Self},
	{Row: Row{Name: "Frame Rate Denominator", Format: BEROID}, Ends: Self, Optional: true},
}

// wavelength is a record of item 128.
var wavelength = []Field{
	{Row: Row{Name: "Wavelength ID", Format: BEROID}, Ends: Self},
	{Row: Row{Name: "Min Wavelength", Unit: "nm", Format: IMAPB, Size: 4, Hi: 1e9}},
	{Row: Row{Name: "Max Wavelength", Unit: "nm", Format: IMAPB, Size: 4, Hi: 1e9}},
	{Row: Row{Name: "Wavelength Name", Format: Text}, Ends: AtEnd},
}

// location is the Location of items 130 and 141: WGS 84, metres above the ellipsoid.
var location = []Field{
	{Row: Row{Name: "Latitude", Unit: deg, Format: IMAPB, Size: 4, Lo: -90, Hi: 90}},
	{Row: Row{Name: "Longitude", Unit: deg, Format: IMAPB, Size: 4, Lo: -180, Hi: 180}},
	{Row: Row{Name: "HAE", Unit: metre, Format: IMAPB, Size: 3, Lo: -900, Hi: 9000}, Optional: true},
}

// airbases is item 130. A recovery location that is left out is the take-off location; one of zero length is not known.
var airbases = []Field{
	{Row: Row{Name: "Take-off Location", Format: Pack, Fields: location}, Ends: Told},
	{Row: Row{Name: "Recovery Location", Format: Pack, Fields: location}, Ends: Told, Optional: true},
}

// payload is a record of item 138.
var payload = []Field{
	{Row: Row{Name: "Payload ID", Format: BEROID}, Ends: Self},
	{Row: Row{Name: "Payload Type", Format: BEROID, Values: []string{"Electro Optical MI Sensor", "LIDAR", "RADAR", "SIGINT", "SAR"}}, Ends: Self},
	{Row: Row{Name: "Payload Name", Format: Text}, Ends: Told},
}

// waypoint is a record of item 141.
var waypoint = []Field{
	{Row: Row{Name: "Waypoint ID", Format: BEROID}, Ends: Self},
	{Row: Row{Name: "Prosecution Order", Format: Signed, Size: 2}},
	{Row: Row{Name: "Info Value", Format: Unsigned, Size: 1, Bits: []string{"Mode", "Source"}}, Optional: true},
	{Row: Row{Name: "Location", Format: Pack, Fields: location}, Ends: AtEnd, Optional: true},
}

// viewDomain is item 142: for each axis where the view begins and how far it reaches, in as many bytes as half of it has.
var viewDomain = []Field{
	{Row: Row{Name: "Azimuth", Format: Pack, Fields: viewInterval(0, 360)}, Ends: Told},
	{Row: Row{Name: "Elevation", Format: Pack, Fields: viewInterval(-180, 180)}, Ends: Told, Optional: true},
	{Row: Row{Name: "Roll", Format: Pack, Fields: viewInterval(0, 360)}, Ends: Told, Optional: true},
}

func viewInterval(lo, hi float64) []Field {
	return []Field{
		{Row: Row{Name: "Start", Unit: deg, Format: IMAPB, Size: 4, Lo: lo, Hi: hi}, Ends: Halfway},
		{Row: Row{Name: "Range", Unit: deg, Format: IMAPB, Size: 4, Hi: 360}, Ends: AtEnd},
	}
}

// substream is item 143 (ST 1607).
var substream = []Field{
	{Row: Row{Name: "Local ID", Format: BEROID}, Ends: Self},
	{Row: Row{Name: "Universal ID", Format: Identifier, Size: 16}},
}

// countryCoding names the values of ST 0102 item 2, objectCountryCoding those of item 12 (table 2 of each).
var (
	countryCoding = []string{1: "ISO-3166 Two Letter", 2: "ISO-3166 Three Letter", 3: "FIPS 10-4 Two Letter", 4: "FIPS 10-4 Four Letter",
		5: "ISO-3166 Numeric", 6: "1059 Two Letter", 7: "1059 Three Letter", 10: "FIPS 10-4 Mixed", 11: "ISO 3166 Mixed", 12: "STANAG 1059 Mixed",
		13: "GENC Two Letter", 14: "GENC Three Letter", 15: "GENC Numeric", 16: "GENC Mixed"}
	objectCountryCoding = []string{1: "ISO-3166 Two Letter", 2: "ISO-3166 Three Letter", 3: "ISO-3166 Numeric", 4: "FIPS 10-4 Two Letter",
		5: "FIPS 10-4 Four Letter", 6: "1059 Two Letter", 7: "1059 Three Letter", 13: "GENC Two Letter", 14: "GENC Three Letter", 15: "GENC Numeric",
		64: "GENC AdminSub"}
)
