package houserules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// wrongImports lists the direct imports that a room may not have.
func wrongImports(r room, imports []string) []string {
	var wrong []string
	for _, path := range imports {
		standard := !strings.Contains(strings.Split(path, "/")[0], ".")
		switch {
		case standard && !r.pure:
		case standard && pureStandard[path] != "":
		case r.allows(strings.TrimPrefix(path, module)):
		case standard:
			wrong = append(wrong, fmt.Sprintf("imports %s, which no pure room may", path))
		default:
			wrong = append(wrong, fmt.Sprintf("imports %s: not in its line of rooms_test.go", strings.TrimPrefix(path, module)))
		}
	}
	return wrong
}

// allows says whether the room's line has the path, or a folder above it.
func (r room) allows(path string) bool {
	if r.imports[path] != "" {
		return true
	}
	for k, reason := range r.imports {
		if reason != "" && strings.HasSuffix(k, "/") && strings.HasPrefix(path, k) {
			return true
		}
	}
	return false
}

func TestImports(t *testing.T) {
	table := map[string]room{}
	for _, r := range rooms {
		if _, twice := table[r.path]; twice {
			t.Errorf("%s is in rooms_test.go twice", r.path)
		}
		table[r.path] = r.room
	}
	for _, p := range list(t, nil, "./...") {
		path := strings.TrimPrefix(p.ImportPath, module)
		r, known := table[path]
		if !known {
			t.Errorf("%s is no room of rooms_test.go: enter it with what it may import and why", path)
			continue
		}
		for _, wrong := range wrongImports(r, p.Imports) {
			t.Errorf("%s %s", path, wrong)
		}
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment: say what it is, guarantees and wants", path)
		}
		if main := p.Name == "main"; main != slices.Contains([]string{"cmd/tact", "cmd/tactd", "cmd/tact/internal/bench"}, path) && len(p.GoFiles) > 0 {
			t.Errorf("%s: only cmd/tact and cmd/tactd are programs of the product", path)
		}
	}
}

// The table itself points down only, and every entry gives its reason.
func TestArrows(t *testing.T) {
	for k, r := range rooms {
		for path, reason := range r.imports {
			if reason == "" {
				t.Errorf("%s may import %s, but nobody says why", r.path, path)
			}
			for _, higher := range rooms[k:] {
				if higher.path == path {
					t.Errorf("%s may import %s, which does not stand below it", r.path, path)
				}
			}
		}
	}
}

func TestWrongImports(t *testing.T) {
	pure := room{pure: true, imports: map[string]string{"context/sense": "values", "time": "text"}}
	folder := room{imports: map[string]string{"context/": "wiring", "golang.org/x/": "terminal"}}
	for _, c := range []struct {
		name string
		room
		imports []string
		want    int
	}{
		{"nothing", pure, nil, 0},
		{"standard and listed", pure, []string{"fmt", "time", module + "context/sense"}, 0},
		{"os", pure, []string{"os"}, 1},
		{"net, log, sync and more", pure, []string{"net/http", "log", "log/slog", "sync", "sync/atomic", "os/exec", "io/fs", "runtime", "unsafe", "context", "crypto/rand"}, 11},
		{"a room that is not listed", pure, []string{module + "context/event"}, 1},
		{"a module that is not listed", pure, []string{"example.org/x"}, 1},
		{"standard in a room that is not pure", folder, []string{"os", "net/http"}, 0},
		{"below a folder", folder, []string{module + "context/event", "golang.org/x/term"}, 0},
		{"beside a folder", folder, []string{module + "contexts/event", module + "agent"}, 2},
	} {
		if got := wrongImports(c.room, c.imports); len(got) != c.want {
			t.Errorf("%s: %q, want %d", c.name, got, c.want)
		}
	}
}

func TestTopFolders(t *testing.T) {
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	built := []string{"bin", "dist"}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topFolders, e.Name()) && !slices.Contains(built, e.Name()) {
			t.Errorf("folder %s: top-level folders are fixed (%s)", e.Name(), strings.Join(topFolders, " "))
		}
	}
}
