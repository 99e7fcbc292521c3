package houserules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Name       string
	Doc        string
	Dir        string
	Export     string
	GoFiles    []string
	Imports    []string
	Standard   bool
}

// root is the top folder of the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// list runs go list in the top folder.
func list(t testing.TB, env []string, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Name,Doc,Dir,Export,GoFiles,Imports,Standard"}, args...)...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.Bytes())
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// source is a type-checked package.
type source struct {
	fset  *token.FileSet
	files []*ast.File
	info  *types.Info
	pkg   *types.Package
}

// checker type-checks packages against the compiled form of what they import.
type checker struct {
	fset *token.FileSet
	imp  types.Importer
}

// newChecker compiles the packages (and what they import) and returns a checker for them.
func newChecker(t testing.TB, packages ...string) *checker {
	t.Helper()
	export := map[string]string{}
	for _, p := range list(t, nil, append([]string{"-deps", "-export"}, packages...)...) {
		export[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	return &checker{fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if export[path] == "" {
			return nil, fmt.Errorf("package %s is not compiled", path)
		}
		return os.Open(export[path])
	})}
}

// check reads and type-checks files: name to content, nil for what is on disk.
func (c *checker) check(path string, names []string, content map[string]string) (*source, error) {
	s := &source{fset: c.fset, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
		Defs:  map[*ast.Ident]types.Object{},
	}}
	for _, name := range names {
		var text any
		if content != nil {
			text = content[name]
		}
		f, err := parser.ParseFile(c.fset, name, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	pkg, err := (&types.Config{Importer: c.imp}).Check(path, c.fset, s.files, s.info)
	s.pkg = pkg
	return s, err
}

// short prints a position as folder/file:line.
func (s *source) short(pos token.Pos) string {
	p := s.fset.Position(pos)
	return fmt.Sprintf("%s/%s:%d", filepath.Base(filepath.Dir(p.Filename)), filepath.Base(p.Filename), p.Line)
}
