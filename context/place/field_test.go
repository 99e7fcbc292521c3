package place_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/sense"
)

// fieldData returns a folder of the field data, which is not part of the sources.
func fieldData(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("TACT_FIELD_DATA")
	if root == "" {
		t.Skip("TACT_FIELD_DATA names no folder with field data")
	}
	return filepath.Join(root, "geo", name)
}

// where classifies a point by the depth: on the border is within a centimetre of it.
func where(s *Shape, p sense.Point) string {
	switch d := s.Depth(p); {
	case d > 10:
		return "interior"
	case d < -10:
		return "exterior"
	}
	return "boundary"
}

type feature struct {
	Geometry struct {
		Type        string
		Coordinates json.RawMessage
	}
}

// Turf's cases of a point in a polygon, with several parts too: contained is the interior alone.
func TestFieldTurfContains(t *testing.T) {
	cases := 0
	err := filepath.WalkDir(fieldData(t, "turf-boolean-contains"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".geojson") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var file struct{ Features []feature }
		if err := json.Unmarshal(raw, &file); err != nil {
			return err
		}
		a, p := areaOf(t, file.Features)
		if a == nil || p == nil {
			return nil
		}
		cases++
		want := strings.Contains(path, "/true/")
		if got := where(shape(t, a), *p); (got == "interior") != want {
			t.Errorf("%s: the point is in the %s", filepath.Base(path), got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cases < 5 {
		t.Fatalf("only %d cases with a polygon and a point", cases)
	}
}

func areaOf(t *testing.T, features []feature) (*Area, *sense.Point) {
	t.Helper()
	var a *Area
	var p *sense.Point
	for _, f := range features {
		var polygon [][][]float64
		var several [][][][]float64
		var point []float64
		var err error
		switch f.Geometry.Type {
		case "Polygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &polygon)
			several = append(several, polygon)
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &several)
		case "Point":
			err = json.Unmarshal(f.Geometry.Coordinates, &point)
			x := sense.PointOf(point[1], point[0])
			p = &x
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, polygon := range several {
			if a == nil {
				a = &Area{}
			}
			a.Parts = append(a.Parts, polygonOf(polygon))
		}
	}
	return a, p
}

func polygonOf(rings [][][]float64) Polygon {
	var p Polygon
	for k, points := range rings {
		var r Ring
		for _, x := range points {
			r = append(r, sense.PointOf(x[1], x[0]))
		}
		if k == 0 {
			p.Outer = r
		} else {
			p.Holes = append(p.Holes, r)
		}
	}
	return p
}

var (
	caseOf   = regexp.MustCompile(`(?s)<case>.*?<a>(.*?)</a>\s*<b>(.*?)</b>(.*?)</case>`)
	ringOf   = regexp.MustCompile(`\(([-0-9., \n]+)\)`)
	relation = regexp.MustCompile(`name="relate" arg3="(.)(.)(.)[^"]*"`)
	crossing = regexp.MustCompile(`(?s)name="intersects"[^>]*>\s*(true|false)`)
)

// The cases of JTS of points and an area, a tenth of their size so that they fit on the earth.
func TestFieldJTSPoints(t *testing.T) {
	cases := 0
	for _, name := range []string{"general-TestRelatePA.xml", "general-TestPreparedPointPredicate.xml"} {
		raw, err := os.ReadFile(filepath.Join(fieldData(t, "jts"), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range caseOf.FindAllStringSubmatch(string(raw), -1) {
			if !strings.Contains(c[1], "POINT") || !strings.Contains(c[2], "POLYGON") || strings.Contains(c[2], "MULTI") {
				continue
			}
			area := &Area{Parts: []Polygon{polygonOf(coordinates(t, c[2]))}}
			seen := map[string]bool{}
			for _, points := range coordinates(t, c[1]) {
				for _, p := range points {
					seen[where(shape(t, area), sense.PointOf(p[1], p[0]))] = true
				}
			}
			cases++
			if m := relation.FindStringSubmatch(c[3]); m != nil {
				for k, part := range []string{"interior", "boundary", "exterior"} {
					if want := m[k+1] != "F"; seen[part] != want {
						t.Errorf("%s in %s: in the %s is %t, want %t", strings.TrimSpace(c[1]), strings.TrimSpace(c[2]), part, seen[part], want)
					}
				}
			} else if m := crossing.FindStringSubmatch(c[3]); m == nil || (seen["interior"] || seen["boundary"]) != (m[1] == "true") {
				t.Errorf("%s in %s: %v, intersects %v", strings.TrimSpace(c[1]), strings.TrimSpace(c[2]), seen, m)
			}
		}
	}
	if cases < 8 {
		t.Fatalf("only %d cases with points and a polygon", cases)
	}
}

// coordinates reads the innermost lists of well-known text.
func coordinates(t *testing.T, text string) [][][]float64 {
	t.Helper()
	var lists [][][]float64
	for _, m := range ringOf.FindAllStringSubmatch(text, -1) {
		var list [][]float64
		for _, pair := range strings.Split(m[1], ",") {
			var p []float64
			for _, field := range strings.Fields(pair) {
				f, err := strconv.ParseFloat(field, 64)
				if err != nil {
					t.Fatal(err)
				}
				p = append(p, f/10)
			}
			list = append(list, p)
		}
		lists = append(lists, list)
	}
	return lists
}

// Every country of the world is an area, and each of these points lies in one alone.
func TestFieldWorldCountries(t *testing.T) {
	raw, err := os.ReadFile(fieldData(t, "world-countries-110m.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Features []struct {
			feature
			Properties map[string]any
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	capitals := map[string]sense.Point{
		"Netherlands": sense.PointOf(52.37, 4.90), "France": sense.PointOf(48.86, 2.35), "Russia": sense.PointOf(55.75, 37.62),
		"Fiji": sense.PointOf(-17.8, 178.0), "Antarctica": sense.PointOf(-90, 0), "Brazil": sense.PointOf(-15.79, -47.88),
		"South Africa": sense.PointOf(-25.75, 28.19), "Lesotho": sense.PointOf(-29.5, 28.2), "New Zealand": sense.PointOf(-41.2, 175.3),
	}
	found := map[string][]string{}
	for _, f := range file.Features {
		a, _ := areaOf(t, []feature{f.feature})
		country := ""
		for _, key := range []string{"name", "NAME", "ADMIN", "admin"} {
			if s, ok := f.Properties[key].(string); ok && country == "" {
				country = s
			}
		}
		s, err := NewShape(a)
		if err != nil {
			t.Errorf("%s: %v", country, err)
			continue
		}
		for name, p := range capitals {
			if s.Side(sense.PositionValue(p, 100_000)) == Inside {
				found[name] = append(found[name], country)
			}
		}
	}
	for name := range capitals {
		if got := found[name]; len(got) != 1 || got[0] != name {
			t.Errorf("%s lies in %v", name, got)
		}
	}
}
