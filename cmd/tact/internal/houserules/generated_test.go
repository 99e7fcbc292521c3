package houserules

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Generated code is what go generate makes of its source. It runs in a copy of
// the tree, so that nobody's work is touched.
func TestGeneratedCode(t *testing.T) {
	before := tree(t, root(t))
	dir := t.TempDir()
	for name, content := range before {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "generate", "./...")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go generate: %v\n%s", err, out)
	}
	after := tree(t, dir)
	for _, name := range changed(before, after) {
		t.Errorf("%s is not what go generate makes: run go generate ./%s", name, filepath.Dir(name))
	}
}

// changed lists the files that differ, or are on one side only.
func changed(before, after map[string][]byte) []string {
	all := maps.Clone(before)
	maps.Copy(all, after)
	var names []string
	for name := range all {
		was, had := before[name]
		is, has := after[name]
		if had != has || !bytes.Equal(was, is) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// tree reads what go generate may need or make: Go files and the module's own.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != dir && (strings.HasPrefix(name, ".") || name == "bin" || name == "dist" || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" && name != "go.mod" && name != "go.sum" {
			return nil
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[relative], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestChanged(t *testing.T) {
	before := map[string][]byte{"same": []byte("a"), "stale": []byte("a"), "left": []byte("a")}
	after := map[string][]byte{"same": []byte("a"), "stale": []byte("b"), "new": nil}
	if got, want := changed(before, after), []string{"left", "new", "stale"}; !slices.Equal(got, want) {
		t.Errorf("changed %q, want %q", got, want)
	}
}
