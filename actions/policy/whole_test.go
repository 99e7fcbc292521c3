package policy

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

// Every policy becomes a bundle that Check takes, and that comes back from its bytes as it was.
func TestBundlesAreWhole(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/policies/*")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("find policies: %v, %d found", err, len(dirs))
	}
	for _, dir := range append(dirs, guide(t)) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			b, findings, err := Compile(dir)
			if err != nil || b == nil {
				t.Fatalf("Compile: %v %v", findings, err)
			}
			if err := catalog.Check(b); err != nil {
				t.Fatal(err)
			}
			raw := catalog.Encode(b)
			back, err := catalog.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if again := catalog.Encode(back); !reflect.DeepEqual(again, raw) {
				t.Error("the bundle does not come back from its bytes as it was")
			}
		})
	}
}
