package place_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/sense"
)

func ring(degrees ...float64) Ring {
	var r Ring
	for k := 0; k < len(degrees); k += 2 {
		r = append(r, sense.PointOf(degrees[k], degrees[k+1]))
	}
	return r
}

func box(south, west, north, east float64) Ring {
	return ring(south, west, south, east, north, east, north, west)
}

func shape(t testing.TB, a *Area) *Shape {
	t.Helper()
	s, err := NewShape(a)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(lat, lon float64, accuracy int64) sense.Value {
	return sense.PositionValue(sense.PointOf(lat, lon), accuracy)
}

// A degree of latitude at 52 degrees north is 111,267 m on WGS 84, one of longitude 68,678 m
// (from the radii of curvature: pi/180*M and pi/180*N*cos).
func TestDistances(t *testing.T) {
	s := shape(t, &Area{Circle: true, Centre: sense.PointOf(52, 5), Radius: 1_000_000})
	for _, x := range []struct {
		lat, lon float64
		metres   float64
	}{
		{52, 5, -1000}, {52.01, 5, 1112.67 - 1000}, {52, 5.02, 1373.57 - 1000}, {51.9, 5, 11126.7 - 1000},
	} {
		got := -float64(s.Depth(sense.PointOf(x.lat, x.lon))) / 1000
		if math.Abs(got-x.metres) > math.Max(0.5, math.Abs(x.metres)*2e-4) {
			t.Errorf("%v, %v is %.1f m from the edge, want %.1f", x.lat, x.lon, got, x.metres)
		}
	}
	if m := s.Metres(sense.PointOf(52, 5.001)); m != 0 {
		t.Errorf("inside, the distance is %v", m)
	}
	// The series against the radii of curvature, from the equator to 85 degrees.
	for lat := 0.0; lat <= 85; lat += 5 {
		phi := lat * math.Pi / 180
		const a, e2 = 6378137, 0.00669437999014
		n := a / math.Sqrt(1-e2*math.Sin(phi)*math.Sin(phi))
		want := n * math.Cos(phi) * 0.001 * math.Pi / 180
		s := shape(t, &Area{Parts: []Polygon{{Outer: box(lat-0.5, 10, lat+0.5, 11)}}})
		if got := float64(-s.Depth(sense.PointOf(lat, 9.999))) / 1000; math.Abs(got-want) > want*2e-4+0.02 {
			t.Errorf("at %v degrees 0.001 of longitude is %.3f m, want %.3f", lat, got, want)
		}
	}
}

func TestSides(t *testing.T) {
	hole := &Area{Parts: []Polygon{{Outer: box(50, 4, 51, 6), Holes: []Ring{box(50.4, 4.8, 50.6, 5.2)}}, {Outer: box(52, 4, 53, 6)}}}
	outside := &Area{Parts: hole.Parts, Outside: true}
	fiji := &Area{Parts: []Polygon{{Outer: box(-19, 177, -16, 180)}, {Outer: box(-19, -180, -16, -178)}}}
	across := &Area{Parts: []Polygon{{Outer: ring(-19, 177, -19, -178, -16, -178, -16, 177), Holes: []Ring{box(-18, -179.5, -17, -179)}}}}
	south := &Area{Parts: []Polygon{{Outer: ring(-90, -180, -70, -180, -65, 0, -70, 180, -90, 180)}}}
	circle := &Area{Circle: true, Centre: sense.PointOf(-17, 179.99), Radius: 5_000_000, Margin: 100_000}
	for _, x := range []struct {
		name     string
		area     *Area
		position sense.Value
		want     Side
	}{
		{"middle", hole, at(50.2, 5, 10_000), Inside},
		{"in the hole", hole, at(50.5, 5, 10_000), Outside},
		{"second part", hole, at(52.5, 5, 10_000), Inside},
		{"between the parts", hole, at(51.5, 5, 10_000), Outside},
		{"far away", hole, at(-30, -120, 10_000), Outside},
		{"111 m inside, accuracy 110", hole, at(50.001, 5.5, 110_000), Inside},
		{"111 m inside, accuracy 112", hole, at(50.001, 5.5, 112_000), Unknown},
		{"111 m outside, accuracy 110", hole, at(49.999, 5.5, 110_000), Outside},
		{"111 m outside, accuracy 112", hole, at(49.999, 5.5, 112_000), Unknown},
		{"11 m inside, accuracy not said", hole, at(50.0001, 5.5, sense.NoAccuracy), Unknown},
		{"22 m inside, accuracy not said", hole, at(50.0002, 5.5, sense.NoAccuracy), Inside},
		{"outside of it all", outside, at(51.5, 5, 10_000), Inside},
		{"in the hole of an outside", outside, at(50.5, 5, 10_000), Inside},
		{"inside an outside", outside, at(50.2, 5, 10_000), Outside},
		{"on the seam", fiji, at(-17, 180, 10_000), Inside},
		{"beside the seam", fiji, at(-17, -179.99999, 10_000), Inside},
		{"east of it", fiji, at(-17, -177.9, 10_000), Outside},
		{"a ring over the antimeridian", across, at(-18.5, 179.9, 10_000), Inside},
		{"and beyond it", across, at(-18.5, -178.1, 10_000), Inside},
		{"in its hole", across, at(-17.5, -179.2, 10_000), Outside},
		{"at the other end of the earth", across, at(-18.5, 0, 10_000), Outside},
		{"at the pole", south, at(-89.9999, 12, 10_000), Inside},
		{"where the cut is", south, at(-80, 180, 10_000), Inside},
		{"north of it", south, at(-60, 12, 10_000), Outside},
		{"a circle over the antimeridian", circle, at(-17, -179.98, 10_000), Inside},
		{"beyond it", circle, at(-17, -179.95, 10_000), Outside},
	} {
		if got := shape(t, x.area).Side(x.position); got != x.want {
			t.Errorf("%s: %s, want %s (depth %d mm)", x.name, got, x.want, shape(t, x.area).Depth(x.position.Point()))
		}
	}
}

func TestAreaRefused(t *testing.T) {
	for name, a := range map[string]*Area{
		"no polygon":        {},
		"two points":        {Parts: []Polygon{{Outer: ring(1, 1, 2, 2)}}},
		"around the pole":   {Parts: []Polygon{{Outer: ring(80, 0, 80, 120, 80, -120)}}},
		"no radius":         {Circle: true, Centre: sense.PointOf(52, 5)},
		"a circle at 89":    {Circle: true, Centre: sense.PointOf(89, 5), Radius: 1000},
		"not on the earth":  {Parts: []Polygon{{Outer: Ring{{Lat: 1}, {Lat: 910_000_000}, {Lon: 5}}}}},
		"a negative margin": {Circle: true, Centre: sense.PointOf(52, 5), Radius: 1000, Margin: -1},
		"a hole of a line":  {Parts: []Polygon{{Outer: box(1, 1, 2, 2), Holes: []Ring{ring(1, 1, 2, 2)}}}},
	} {
		if _, err := NewShape(a); !errors.Is(err, ErrArea) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Scatter of 30 m on the border, twenty times, is one crossing: between certain sides the last holds.
func TestFenceHoldsAgainstScatter(t *testing.T) {
	s := shape(t, &Area{Parts: []Polygon{{Outer: box(51, 4, 52, 6)}}, Margin: 50_000})
	var f Fence
	r := rand.New(rand.NewPCG(7, 7))
	if got := f.Fix(s, at(51.9999, 5, 10_000)); got != Unknown {
		t.Fatalf("11 m from the border, never seen before: %s", got)
	}
	crossings, last := 0, f.Fix(s, at(51.99, 5, 10_000))
	for range 20 {
		scatter := (r.Float64()*2 - 1) * 30 / 111_267
		if got := f.Fix(s, at(52+scatter, 5, 10_000)); got != last {
			crossings, last = crossings+1, got
		}
	}
	if crossings != 0 || last != Inside {
		t.Fatalf("on the border: %d crossings, %s", crossings, last)
	}
	if f.Fix(s, at(52.01, 5, 10_000)) != Outside {
		t.Fatal("a kilometre beyond it is not outside")
	}
}

// The depth of a polygon of many corners around a circle is that of the circle, in every direction.
func TestDepthOfRoundPolygon(t *testing.T) {
	const n, radius = 720, 2000.0
	perLat, perLon := 111267.0, 68678.0
	var r Ring
	for k := range n {
		a := 2 * math.Pi * float64(k) / n
		r = append(r, sense.PointOf(52+radius/perLat*math.Sin(a), 5+radius/perLon*math.Cos(a)))
	}
	s := shape(t, &Area{Parts: []Polygon{{Outer: r}}})
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		a, d := random.Float64()*2*math.Pi, random.Float64()*4000
		got := float64(s.Depth(sense.PointOf(52+d/perLat*math.Sin(a), 5+d/perLon*math.Cos(a)))) / 1000
		if math.Abs(got-(radius-d)) > 2+math.Abs(radius-d)*1e-3 {
			t.Fatalf("%.1f m from the centre: depth %.1f", d, got)
		}
	}
}

func TestFixDoesNotAllocate(t *testing.T) {
	s := shape(t, &Area{Parts: []Polygon{{Outer: box(51, 4, 52, 6), Holes: []Ring{box(51.4, 4.8, 51.6, 5.2)}}}})
	var f Fence
	p := at(51.2, 5, 10_000)
	if n := testing.AllocsPerRun(100, func() { f.Fix(s, p); s.Metres(p.Point()) }); n != 0 {
		t.Errorf("a fix allocates %v times", n)
	}
}

func FuzzShape(f *testing.F) {
	f.Add(int32(520000000), int32(50000000), int32(530000000), int32(1799999999), int32(510000000), int32(-1799999999), int32(525000000), int32(1800000000), int64(10))
	f.Add(int32(-900000000), int32(-1800000000), int32(-900000000), int32(1800000000), int32(-700000000), int32(0), int32(-900000000), int32(5), int64(-1))
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, lat, lon int32, accuracy int64) {
		area := &Area{Parts: []Polygon{{Outer: Ring{{Lat: a, Lon: b}, {Lat: c, Lon: d}, {Lat: e, Lon: g}}}}}
		s, err := NewShape(area)
		if err != nil {
			return
		}
		p := sense.Point{Lat: lat, Lon: lon}
		depth := s.Depth(p)
		switch s.Side(sense.PositionValue(p, accuracy)) {
		case Inside:
			if depth <= 0 {
				t.Errorf("inside at depth %d", depth)
			}
		case Outside:
			if depth >= 0 {
				t.Errorf("outside at depth %d", depth)
			}
		}
	})
}

func BenchmarkFix(b *testing.B) {
	var r Ring
	for k := range 5000 {
		a := 2 * math.Pi * float64(k) / 5000
		r = append(r, sense.PointOf(52+math.Sin(a), 5+math.Cos(a)))
	}
	s := shape(b, &Area{Parts: []Polygon{{Outer: r}}})
	var f Fence
	for name, p := range map[string]sense.Value{"inside": at(52.1, 5.1, 10_000), "far": at(40, 5, 10_000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Fix(s, p)
			}
		})
	}
}
