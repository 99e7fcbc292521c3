package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

const twoPlaces = `policy: map
version: 1
currency: EUR
languages: [en]
zone: Pacific/Fiji
signals:
  position: {type: position, max_age: 10s}
places:
  west: {inside: W, file: map.geojson, key: id}
  east: {inside: E, file: map.geojson, key: id}
slots:
  wall: {channel: wall}
actions:
  hello: {intent: information, value: 2.00, applicable: "inside(west) || inside(east)", say: {en: "Hello."}}
`

// Files of borders say 180.00000000000014; what is no noise is named, once for the file.
func TestBordersBeyondTheMeridian(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("policy.yaml", twoPlaces)
	square := func(id, west, east string) string {
		return `{"type":"Feature","properties":{"id":"` + id + `"},"geometry":{"type":"Polygon","coordinates":[[[` + west + `,-90],[` + east + `,-90],[` + east + `,10],[` + west + `,10],[` + west + `,-90]]]}}`
	}
	both := func(east string) string {
		return `{"type":"FeatureCollection","features":[` + square("W", "170", east) + "," + square("E", "-180.00000000000003", "-170") + `]}`
	}
	write("map.geojson", both("180.00000000000014"))
	b, findings, err := Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	for k, want := range []sense.Point{sense.PointOf(-90, -180), sense.PointOf(-90, 180)} {
		if ring := b.Places[k].Area.Parts[0].Outer; ring[k] != want {
			t.Errorf("place %s has the corner %v, want %v", b.Places[k].Name, ring[k], want)
		}
	}
	write("map.geojson", both("180.001"))
	_, findings, err = Compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	for _, f := range findings {
		if f.Code == "bad_file" {
			bad = append(bad, f.Message)
		}
	}
	if len(bad) != 1 || !strings.Contains(bad[0], "[180.001 -90] is not [longitude, latitude]") {
		t.Errorf("findings: %q", bad)
	}
}
