package serve

import (
	"math"
	"net/url"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// bearingTo is the azimuth from one place to another near by, degrees: good to 0.1° over 30 km, a tenth of the bearings' sigma.
func bearingTo(lat1, lon1, lat2, lon2 float64) float64 {
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: lat1, Lon: lon1})
	xy := f.GroundENU(geodesy.LatLon{Lat: lat2, Lon: lon2})
	return math.Mod(math.Atan2(xy[0], xy[1])*180/math.Pi+360, 360)
}
