package houserules

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write cmd/tactd/depends.txt anew")

// neverOnDevices is what would make the daemon large, or a compiler or hub of it.
var neverOnDevices = []string{
	"cel.dev/", "github.com/antlr4-go/", "google.golang.org/protobuf", "modernc.org/", "github.com/jackc/", "github.com/mochi-mqtt/", "github.com/spf13/",
	module + "actions/policy", module + "sync/hub", module + "agent/sim",
}

// The daemon's packages outside the standard library, for one platform, so that
// the list is the same wherever it is made.
func TestTactdDepends(t *testing.T) {
	dir := filepath.Join(root(t), "cmd", "tactd")
	var paths []string
	for _, p := range list(t, []string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"}, "-deps", "./cmd/tactd") {
		if !p.Standard {
			paths = append(paths, p.ImportPath)
		}
	}
	slices.Sort(paths)
	for _, wrong := range forbidden(paths) {
		t.Errorf("cmd/tactd links %s, which has no place on a device", wrong)
	}
	file := filepath.Join(dir, "depends.txt")
	got := strings.Join(paths, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: write it with go test ./cmd/tact/internal/houserules -update", err)
	}
	added, gone := differ(strings.Fields(string(want)), paths)
	if len(added)+len(gone) > 0 {
		t.Errorf("what cmd/tactd links has changed; is that wanted? go test ./cmd/tact/internal/houserules -update\nadded: %s\ngone: %s",
			strings.Join(added, " "), strings.Join(gone, " "))
	}
}

func forbidden(paths []string) []string {
	var wrong []string
	for _, path := range paths {
		for _, never := range neverOnDevices {
			if path == never || strings.HasPrefix(path, strings.TrimSuffix(never, "/")+"/") {
				wrong = append(wrong, path)
			}
		}
	}
	return wrong
}

func differ(want, got []string) (added, gone []string) {
	for _, path := range got {
		if !slices.Contains(want, path) {
			added = append(added, path)
		}
	}
	for _, path := range want {
		if !slices.Contains(got, path) {
			gone = append(gone, path)
		}
	}
	return added, gone
}

func TestForbiddenAndDiffer(t *testing.T) {
	wrong := forbidden([]string{"cel.dev/cel-go/cel", module + "sync/hub", module + "sync/hub/ledger", module + "sync/hubs", module + "sync/wire", "go.etcd.io/bbolt"})
	if want := []string{"cel.dev/cel-go/cel", module + "sync/hub", module + "sync/hub/ledger"}; !slices.Equal(wrong, want) {
		t.Errorf("forbidden %q, want %q", wrong, want)
	}
	added, gone := differ([]string{"a", "b"}, []string{"b", "c"})
	if !slices.Equal(added, []string{"c"}) || !slices.Equal(gone, []string{"a"}) {
		t.Errorf("added %q, gone %q", added, gone)
	}
}
