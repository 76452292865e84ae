package emitter_test

import (
	"fmt"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/emitter"
)

func Example() {
	// SYNTHETIC: three bearings with one degree of noise on an emitter at 25.0 N 107.0 W.
	post, err := emitter.Locate([]emitter.Bearing{
		{Sensor: geodesy.LatLonHeight{Lat: 24.6, Lon: -107.3}, AzimuthDeg: 34.0, SigmaDeg: 1},
		{Sensor: geodesy.LatLonHeight{Lat: 24.5, Lon: -106.9}, AzimuthDeg: 350.1, SigmaDeg: 1},
		{Sensor: geodesy.LatLonHeight{Lat: 24.7, Lon: -106.5}, AzimuthDeg: 303.7, SigmaDeg: 1},
	}, emitter.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	f := post.Fixes[0]
	fmt.Printf("%.2f %.2f within %.1f km, %s\n", f.At.Lat, f.At.Lon, f.Ellipse95.MajorM/1e3, f.Integrity)
	// Output: 25.00 -107.00 within 2.6 km, good
}
