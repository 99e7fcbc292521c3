package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/sense"
)

func (c *compiler) places() {
	for _, e := range c.sections["places"] {
		f := c.fields(e.key, e.val, "place "+e.name, placeKeys...)
		p := catalog.Place{Name: e.name}
		if v, ok := f.get("margin"); ok {
			p.Area.Margin = c.metres(v, "margin")
		}
		circle, isCircle := f.get("circle")
		polygon, isPolygon := f.get("polygon")
		_, isFile := f.get("file")
		switch {
		case isCircle && !isPolygon && !isFile:
			c.circle(&p.Area, f.key("circle"), circle)
		case isPolygon && !isCircle && !isFile:
			p.Area.Parts = []place.Polygon{{Outer: c.ring(polygon)}}
		case isFile && !isCircle && !isPolygon:
			c.fromMap(&p.Area, e, f)
		default:
			c.fail(e.key, "bad_place", "circle: {at: [52.09, 5.12], radius: 40 m}, polygon: [[lat, lon], ...], or inside: NAME with file and key", "place %s is exactly one of a circle, a polygon and an area of a file", e.name)
		}
		c.b.Places = append(c.b.Places, p)
	}
}

func (c *compiler) circle(a *place.Area, key, v value) {
	f := c.fields(key, v, "circle", circleKeys...)
	a.Circle = true
	if at, ok := f.get("at"); ok {
		a.Centre = c.point(at)
	} else {
		c.fail(key, "missing_key", "at: [latitude, longitude]", "a circle has a centre")
	}
	if r, ok := f.get("radius"); ok {
		if a.Radius = c.metres(r, "radius"); a.Radius <= 0 {
			c.fail(r, "bad_distance", "as in 40 m", "a radius is more than nothing")
		}
	} else {
		c.fail(key, "missing_key", "radius: 40 m", "a circle has a radius")
	}
}

var degrees = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]+)?$`)

// point reads [latitude, longitude].
func (c *compiler) point(v value) sense.Point {
	list := c.list(v, "a point")
	if len(list) != 2 {
		c.fail(v, "bad_point", "[latitude, longitude], as in [52.0907, 5.1214]", "a point has two numbers")
		return sense.Point{}
	}
	var d [2]float64
	for k, x := range list {
		s, _ := c.text(x, "a coordinate")
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !degrees.MatchString(s) || math.Abs(n) > []float64{90, 180}[k] {
			c.fail(x, "bad_point", "latitude lies within 90 degrees and comes first, longitude within 180", "%s is no coordinate", s)
			return sense.Point{}
		}
		d[k] = n
	}
	return sense.PointOf(d[0], d[1])
}

func (c *compiler) ring(v value) place.Ring {
	var ring place.Ring
	for _, x := range c.list(v, "polygon") {
		ring = append(ring, c.point(x))
	}
	if n := len(ring); n > 1 && ring[0] == ring[n-1] {
		ring = ring[:n-1]
	}
	if len(ring) < 3 {
		c.fail(v, "bad_place", "list its corners as [latitude, longitude]", "a polygon has at least three corners")
	}
	return ring
}

// fromMap reads an area out of a GeoJSON file.
func (c *compiler) fromMap(a *place.Area, e entry, f *fields) {
	name, inside := f.get("inside")
	other, outside := f.get("outside")
	if inside && outside {
		c.fail(f.key("outside"), "bad_place", "make two places", "a place is inside or outside, not both")
		return
	}
	if outside {
		name, a.Outside = other, true
	}
	v, _ := f.get("file")
	path, ok := c.text(v, "file")
	if !ok {
		return
	}
	if !filepath.IsLocal(path) {
		c.fail(v, "bad_file", "put the file into the policy's folder", "%s does not lie in the policy's folder", path)
		return
	}
	m, read := c.maps[path]
	if !read {
		var err error
		if m, err = readBorders(filepath.Join(c.dir, path)); err != nil {
			c.fail(v, "bad_file", "a GeoJSON file with polygons", "%s cannot be read: %s", path, err)
		}
		c.maps[path] = m
	}
	if m == nil { // said at the first place that is in it
		return
	}
	if name.node == nil || name.isNull() {
		for _, area := range m.areas {
			a.Parts = append(a.Parts, area.parts...)
		}
		return
	}
	want, _ := c.text(name, "the area")
	key, ok := f.get("key")
	if !ok {
		c.fail(f.at, "missing_key", "key: the property of the file's features that holds the name", "place %s names an area, but not by which key", e.name)
		return
	}
	property, _ := c.text(key, "key")
	var known []string
	for _, area := range m.areas {
		got, has := area.properties[property].(string)
		if has && got == want {
			a.Parts = append(a.Parts, area.parts...)
		}
		if has {
			known = append(known, got)
		}
	}
	if len(known) == 0 {
		c.fail(key, "unknown_area", "look at the properties in the file", "no feature of %s has a text %s", path, property)
	} else if len(a.Parts) == 0 {
		c.fail(name, "unknown_area", didYouMean(want, known), "no feature of %s has %s %s", path, property, want)
	}
}

// borders are the areas of one GeoJSON file (RFC 7946).
type borders struct{ areas []area }

type area struct {
	properties map[string]any
	parts      []place.Polygon
}

// mostPoints bounds the corners of all areas of a file.
const mostPoints = 1 << 18

func readBorders(path string) (*borders, error) {
	raw, err := readLimited(path)
	if err != nil {
		return nil, err
	}
	b := &borders{}
	points := mostPoints
	if err := b.add(raw, nil, &points, 0); err != nil {
		return nil, err
	}
	if len(b.areas) == 0 {
		return nil, fmt.Errorf("it holds no polygon")
	}
	return b, nil
}

type geo struct {
	Type        string            `json:"type"`
	Features    []json.RawMessage `json:"features"`
	Geometries  []json.RawMessage `json:"geometries"`
	Geometry    json.RawMessage   `json:"geometry"`
	Properties  map[string]any    `json:"properties"`
	Coordinates json.RawMessage   `json:"coordinates"`
}

func (b *borders) add(raw []byte, properties map[string]any, points *int, depth int) error {
	var g geo
	if err := json.Unmarshal(raw, &g); err != nil {
		return fmt.Errorf("it is not GeoJSON: %w", err)
	}
	if depth > 8 {
		return fmt.Errorf("it is nested too deep")
	}
	each := func(list []json.RawMessage) error {
		for _, x := range list {
			if err := b.add(x, properties, points, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	switch g.Type {
	case "FeatureCollection":
		return each(g.Features)
	case "GeometryCollection":
		return each(g.Geometries)
	case "Feature":
		if len(g.Geometry) == 0 || bytes.Equal(g.Geometry, []byte("null")) {
			return nil
		}
		return b.add(g.Geometry, g.Properties, points, depth+1)
	case "Polygon":
		var one [][][]float64
		if err := json.Unmarshal(g.Coordinates, &one); err != nil {
			return fmt.Errorf("its polygon is not GeoJSON: %w", err)
		}
		return b.polygons([][][][]float64{one}, properties, points)
	case "MultiPolygon":
		var many [][][][]float64
		if err := json.Unmarshal(g.Coordinates, &many); err != nil {
			return fmt.Errorf("its polygons are not GeoJSON: %w", err)
		}
		return b.polygons(many, properties, points)
	case "Point", "MultiPoint", "LineString", "MultiLineString":
		return nil // no area
	}
	return fmt.Errorf("it holds something of type %q", g.Type)
}

func (b *borders) polygons(list [][][][]float64, properties map[string]any, points *int) error {
	a := area{properties: properties}
	for _, rings := range list {
		var p place.Polygon
		for k, positions := range rings {
			ring, err := ringOf(positions, points)
			if err != nil {
				return err
			}
			if k == 0 {
				p.Outer = ring
			} else {
				p.Holes = append(p.Holes, ring)
			}
		}
		if len(p.Outer) == 0 {
			return fmt.Errorf("one of its polygons has no ring")
		}
		a.parts = append(a.parts, p)
	}
	b.areas = append(b.areas, a)
	return nil
}

// noise is by how many degrees files go beyond a pole or the antimeridian that were computed in binary
// fractions: 180.00000000000014 in those of Natural Earth. It is a centimetre, which points are kept to.
const noise = 1e-7

func ringOf(positions [][]float64, points *int) (place.Ring, error) {
	ring := make(place.Ring, 0, len(positions))
	for _, xy := range positions {
		if len(xy) < 2 || math.Abs(xy[1]) > 90+noise || math.Abs(xy[0]) > 180+noise {
			return nil, fmt.Errorf("its point %v is not [longitude, latitude]", xy)
		}
		if *points--; *points < 0 {
			return nil, fmt.Errorf("it has more than %d points", mostPoints)
		}
		ring = append(ring, sense.PointOf(max(-90, min(xy[1], 90)), max(-180, min(xy[0], 180))))
	}
	if n := len(ring); n > 1 && ring[0] == ring[n-1] {
		ring = ring[:n-1]
	}
	if len(ring) < 3 {
		return nil, fmt.Errorf("one of its rings has fewer than three points")
	}
	return ring, nil
}
