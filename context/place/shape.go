package place

import (
	"errors"
	"fmt"
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// Limits of an area.
const (
	MaxPoints = 1 << 20
	// MaxRadius and MaxMargin, in millimetres.
	MaxRadius = 1_000_000_000
	MaxMargin = 100_000_000
	maxCircle = 85 * degree // how near a circle may come to a pole
)

// ErrArea marks an area that cannot be judged.
var ErrArea = errors.New("area cannot be used")

// Shape is an area, prepared for fixes. It is read-only.
type Shape struct {
	area  *Area
	parts []part
}

// part is one polygon with the degrees that it lies within.
type part struct {
	rings                    [][]corner // the outer ring, then the holes
	south, north, west, east int64
}

// corner is a point of a ring; its longitude goes on over the antimeridian. Seam says
// that the edge from it to the next point is a cut of the file and no border.
type corner struct {
	lat, lon int64
	seam     bool
}

// NewShape checks an area and prepares it.
func NewShape(a *Area) (*Shape, error) {
	if a.Margin < 0 || a.Margin > MaxMargin {
		return nil, fmt.Errorf("use area: margin of %d mm is not 0 to %d: %w", a.Margin, MaxMargin, ErrArea)
	}
	s := &Shape{area: a}
	if a.Circle {
		return s, checkCircle(a)
	}
	if len(a.Parts) == 0 {
		return nil, fmt.Errorf("use area: it has no polygon: %w", ErrArea)
	}
	points := 0
	for k := range a.Parts {
		p, n, err := newPart(&a.Parts[k])
		if err != nil {
			return nil, fmt.Errorf("use polygon %d of the area: %w: %w", k+1, err, ErrArea)
		}
		if points += n; points > MaxPoints {
			return nil, fmt.Errorf("use area: more than %d points: %w", MaxPoints, ErrArea)
		}
		s.parts = append(s.parts, p)
	}
	return s, nil
}

func checkCircle(a *Area) error {
	if a.Radius <= 0 || a.Radius > MaxRadius {
		return fmt.Errorf("use circle: radius of %d mm is not 1 to %d: %w", a.Radius, MaxRadius, ErrArea)
	}
	if !onEarth(a.Centre) {
		return fmt.Errorf("use circle: its centre is not on the earth: %w", ErrArea)
	}
	// 11 mm a 1e-7 degree
	if reach := math.Abs(float64(a.Centre.Lat)) + float64(a.Radius/11); reach > maxCircle {
		return fmt.Errorf("use circle: it comes within 5 degrees of a pole; draw a polygon: %w", ErrArea)
	}
	return nil
}

func onEarth(p sense.Point) bool {
	return p.Lat >= -90*degree && p.Lat <= 90*degree && p.Lon >= -halfway && p.Lon <= halfway
}

func newPart(poly *Polygon) (part, int, error) {
	p := part{south: math.MaxInt64, west: math.MaxInt64, north: math.MinInt64, east: math.MinInt64}
	outer, err := newRing(poly.Outer)
	if err != nil {
		return p, 0, err
	}
	p.rings = append(p.rings, outer)
	for _, c := range outer {
		p.south, p.north = min(p.south, c.lat), max(p.north, c.lat)
		p.west, p.east = min(p.west, c.lon), max(p.east, c.lon)
	}
	if p.east-p.west > around {
		return p, 0, errors.New("a ring goes around the earth more than once")
	}
	n := len(outer)
	for k, hole := range poly.Holes {
		ring, err := newRing(hole)
		if err != nil {
			return p, 0, fmt.Errorf("hole %d: %w", k+1, err)
		}
		// A hole is told on the same side of the antimeridian as its polygon.
		for ring[0].lon < p.west || ring[0].lon > p.east {
			turn := int64(around)
			if ring[0].lon > p.east {
				turn = -turn
			}
			if ring[0].lon+turn < p.west && turn < 0 || ring[0].lon+turn > p.east && turn > 0 {
				break // it lies outside its polygon and takes nothing away
			}
			for i := range ring {
				ring[i].lon += turn
			}
		}
		p.rings = append(p.rings, ring)
		n += len(ring)
	}
	return p, n, nil
}

func newRing(r Ring) ([]corner, error) {
	if len(r) > 1 && r[0] == r[len(r)-1] {
		r = r[:len(r)-1]
	}
	if len(r) < 3 {
		return nil, fmt.Errorf("a ring of %d points encloses nothing", len(r))
	}
	ring := make([]corner, len(r))
	turns := int64(0)
	for k, p := range r {
		if !onEarth(p) {
			return nil, fmt.Errorf("point %d (%d, %d) is not on the earth", k+1, p.Lat, p.Lon)
		}
		ring[k] = corner{lat: int64(p.Lat), lon: int64(p.Lon) + turns}
		next := r[(k+1)%len(r)]
		cut := onCut(p.Lon) && onCut(next.Lon)
		pole := p.Lat == next.Lat && (p.Lat == 90*degree || p.Lat == -90*degree)
		ring[k].seam = pole || cut && p.Lon == next.Lon
		if step := int64(next.Lon) - int64(p.Lon); cut || pole {
			continue
		} else if step > halfway {
			turns -= around
		} else if step < -halfway {
			turns += around
		}
	}
	if turns != 0 {
		return nil, errors.New("a ring goes around a pole; cut it along the antimeridian")
	}
	return ring, nil
}

// onCut says whether a longitude is the antimeridian.
func onCut(lon int32) bool { return lon == halfway || lon == -halfway }

// contains says whether a point lies in the part, by the rays that it sends east;
// edges belong to the area on one side, so that neighbours share no point.
func (p *part) contains(lat, lon int64) bool {
	if lat < p.south || lat > p.north || lon < p.west || lon > p.east {
		return false
	}
	inside := false
	for _, ring := range p.rings {
		b := ring[len(ring)-1]
		for _, a := range ring {
			if (a.lat > lat) != (b.lat > lat) {
				// lon < b.lon + (a.lon-b.lon)*(lat-b.lat)/(a.lat-b.lat); at most 3.6e9*1.8e9 < 2^63
				left, right := (lon-b.lon)*(a.lat-b.lat), (a.lon-b.lon)*(lat-b.lat)
				if a.lat > b.lat == (left < right) && left != right {
					inside = !inside
				}
			}
			b = a
		}
	}
	return inside
}

// border returns the metres from a point to the nearest edge, at most far.
func (p *part) border(lat, lon int64, f flat, far float64) float64 {
	best := far
	for _, ring := range p.rings {
		b := ring[len(ring)-1]
		for _, a := range ring {
			if !b.seam {
				ay, by := float64(float64(a.lat-lat)*f.lat), float64(float64(b.lat-lat)*f.lat)
				if !(ay > best && by > best || ay < -best && by < -best) {
					ax, bx := float64(float64(a.lon-lon)*f.lon), float64(float64(b.lon-lon)*f.lon)
					best = min(best, toSegment(ax, ay, bx, by))
				}
			}
			b = a
		}
	}
	return best
}

// beyond returns the metres by which a point lies at least outside the box of the part, 0 within it.
func (p *part) beyond(lat, lon int64, f flat) float64 {
	y := float64(max(p.south-lat, lat-p.north, 0))
	x := float64(max(p.west-lon, lon-p.east, 0))
	return metres(float64(x*f.lon), float64(y*f.lat))
}

// halfEarth is farther than any two points are apart, in metres.
const halfEarth = 21_000_000

// Depth returns the millimetres from a point to the edge of the area: positive
// inside, negative outside.
func (s *Shape) Depth(p sense.Point) int64 { return s.depth(p, halfEarth) }

// depth is exact to far metres from the edge; an area that is farther away gives -far or less.
func (s *Shape) depth(p sense.Point, far float64) int64 {
	if s.area.Circle {
		return s.sign(s.area.Radius - millimetres(s.toCentre(p)))
	}
	f := flatAt(p.Lat)
	best := -far
	for k := range s.parts {
		part := &s.parts[k]
		for turn := int64(-around); turn <= around; turn += around {
			lat, lon := int64(p.Lat), int64(p.Lon)+turn
			if out := part.beyond(lat, lon, f); out > 0 && -out <= best {
				continue
			}
			d := part.border(lat, lon, f, halfEarth)
			if !part.contains(lat, lon) {
				d = -d
			}
			best = max(best, d)
		}
	}
	return s.sign(millimetres(best))
}

func (s *Shape) sign(depth int64) int64 {
	if s.area.Outside {
		return -depth
	}
	return depth
}

// toCentre returns the metres to the centre of a circle, at the latitude between.
func (s *Shape) toCentre(p sense.Point) float64 {
	c := s.area.Centre
	f := flatAt(int32((int64(p.Lat) + int64(c.Lat)) / 2))
	lon := int64(p.Lon) - int64(c.Lon)
	if lon > halfway {
		lon -= around
	} else if lon < -halfway {
		lon += around
	}
	return metres(float64(float64(lon)*f.lon), float64(float64(int64(p.Lat)-int64(c.Lat))*f.lat))
}

// Metres returns the distance from a point to the area in metres, 0 inside.
func (s *Shape) Metres(p sense.Point) float64 {
	if d := s.Depth(p); d < 0 {
		return float64(-d) / 1000
	}
	return 0
}
