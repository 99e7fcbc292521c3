package place

import "github.com/tact-edge/tact/context/sense"

// Area is a named area in compiled form: a circle, or polygons with holes, or
// everything outside of them.
type Area struct {
	Circle  bool
	Centre  sense.Point
	Radius  int64     // millimetres
	Parts   []Polygon // of an area that is no circle
	Outside bool      // the area is what lies outside the circle or the parts
	Margin  int64     // millimetres
}

// Polygon is a closed ring with holes; the last point of a ring is not repeated.
type Polygon struct {
	Outer Ring
	Holes []Ring
}

// Ring is a closed line of at least three points.
type Ring []sense.Point
