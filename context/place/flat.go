package place

import (
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// Degrees x 1e7.
const (
	degree  = 10_000_000
	halfway = 180 * degree
	around  = 2 * halfway
)

// flat turns differences of degrees around a latitude into metres.
type flat struct{ lat, lon float64 } // metres per 1e-7 degree

// flatAt returns the scale at a latitude: the series for the lengths of a degree on WGS 84.
func flatAt(lat int32) flat {
	c := cosine(math.Abs(float64(lat)) / degree)
	c2 := float64(2*float64(c*c)) - 1
	c4 := float64(2*float64(c2*c2)) - 1
	c3 := float64(c * (float64(4*float64(c*c)) - 3))
	c5 := float64(2*float64(c2*c3)) - c // cos 5a = 2 cos 2a cos 3a - cos a
	perLat := 111132.954 - float64(559.822*c2) + float64(1.175*c4)
	perLon := float64(111412.84*c) - float64(93.5*c3) + float64(0.118*c5)
	return flat{lat: perLat / degree, lon: perLon / degree}
}

// cosine of an angle of 0 to 90 degrees, within 1e-12.
func cosine(degrees float64) float64 {
	x := float64(degrees * (math.Pi / 180))
	y := float64(x * x)
	sum, n := 0.0, 18
	for ; n >= 2; n -= 2 {
		// Horner: 1 - y/(1*2) * (1 - y/(3*4) * (1 - ...))
		sum = float64(y*(1-sum)) / float64(n*(n-1))
	}
	return 1 - sum
}

// metres is the length of a line.
func metres(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }

// toSegment returns the distance from the origin to the line between two points, in metres.
func toSegment(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	length := float64(dx*dx) + float64(dy*dy)
	if length == 0 {
		return metres(ax, ay)
	}
	t := -(float64(ax*dx) + float64(ay*dy)) / length
	switch {
	case t <= 0:
		return metres(ax, ay)
	case t >= 1:
		return metres(bx, by)
	}
	return metres(ax+float64(t*dx), ay+float64(t*dy))
}

// millimetres rounds metres; what is farther than the earth is wide does not occur.
func millimetres(m float64) int64 { return int64(sense.Round(float64(m * 1000))) }
