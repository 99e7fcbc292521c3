package houserules

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exactMath are the functions of math that give the same bits on every chip.
var exactMath = []string{"Sqrt", "Abs", "Floor", "Trunc", "Float64bits", "Float64frombits", "Float32bits", "Float32frombits", "IsNaN", "IsInf"}

// noClock are the functions of time that read or wait for a clock, or read zone
// files of the machine.
var noClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "LoadLocation", "Local"}

// clockRule is how a finding of that rule begins.
const clockRule = "time."

// seeded are the functions of math/rand/v2 that draw from what they are given.
var seeded = []string{"New", "NewPCG", "NewChaCha8", "NewZipf"}

// orderComment says why ranging over a map is harmless, on its line or the one above.
const orderComment = "order:"

// impurities lists what a pure room may not hold.
func impurities(s *source) []string {
	var found []string
	for _, f := range s.files {
		if ast.IsGenerated(f) {
			continue
		}
		v := &purity{source: s, reasons: reasons(s.fset, f)}
		ast.Inspect(f, v.visit)
		found = append(found, v.found...)
	}
	return found
}

// reasons are the lines that an order comment speaks for.
func reasons(fset *token.FileSet, f *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if _, why, ok := strings.Cut(c.Text, orderComment); ok && strings.TrimSpace(why) != "" {
				lines[fset.Position(c.Pos()).Line] = true
				lines[fset.Position(group.End()).Line+1] = true
			}
		}
	}
	return lines
}

type purity struct {
	*source
	reasons map[int]bool
	found   []string
	wrapped map[ast.Expr]bool // products that a conversion keeps from being fused
}

func (v *purity) report(n ast.Node, format string, args ...any) {
	v.found = append(v.found, v.short(n.Pos())+": "+fmt.Sprintf(format, args...))
}

func (v *purity) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		v.report(n, "starts a goroutine")
	case *ast.SelectorExpr:
		v.selector(n)
	case *ast.RangeStmt:
		if _, ok := v.info.TypeOf(n.X).Underlying().(*types.Map); ok && !v.reasons[v.fset.Position(n.Pos()).Line] {
			v.report(n, "ranges over a map: sort the keys, or say why it is harmless in a comment // order: ...")
		}
	case *ast.CallExpr:
		v.mapsCall(n)
		v.conversion(n)
	case *ast.BinaryExpr:
		if n.Op == token.MUL && v.inexact(n) && !v.wrapped[n] {
			v.report(n, "a product of floats that a chip may fuse: write float64(x*y)")
		}
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			v.assign(n, left)
		}
		if n.Tok == token.MUL_ASSIGN && v.inexact(n.Lhs[0]) {
			v.report(n, "a product of floats that a chip may fuse: write x = float64(x*y)")
		}
	case *ast.IncDecStmt:
		v.assign(n, n.X)
	}
	return true
}

// selector looks at functions and variables of other packages.
func (v *purity) selector(n *ast.SelectorExpr) {
	id, ok := n.X.(*ast.Ident)
	if !ok {
		return
	}
	name, ok := v.info.Uses[id].(*types.PkgName)
	if !ok {
		return
	}
	_, function := v.info.Uses[n.Sel].(*types.Func)
	switch path := name.Imported().Path(); {
	case path == "math" && function && !slices.Contains(exactMath, n.Sel.Name):
		v.report(n, "math.%s differs between chips: only %s are exact", n.Sel.Name, strings.Join(exactMath, " "))
	case path == "time" && slices.Contains(noClock, n.Sel.Name):
		v.report(n, clockRule+"%s reads a clock or this machine's zones: time is an input", n.Sel.Name)
	case path == "math/rand/v2" && function && !slices.Contains(seeded, n.Sel.Name):
		v.report(n, "rand.%s draws from the global source: chance is a function of identity", n.Sel.Name)
	}
}

// mapsCall holds iterators over maps to the rule for range, but for those that
// are sorted at once.
func (v *purity) mapsCall(n *ast.CallExpr) {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	f, ok := v.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return
	}
	switch full := f.Pkg().Path() + "." + f.Name(); full {
	case "slices.Sorted":
		for _, arg := range n.Args {
			v.keep(arg)
		}
	case "maps.Keys", "maps.Values", "maps.All":
		if !v.wrapped[n] && !v.reasons[v.fset.Position(n.Pos()).Line] {
			v.report(n, "%s has no order: slices.Sorted, or say why it is harmless in a comment // order: ...", full)
		}
	}
}

// conversion notes the product that float64(x*y) keeps from being fused.
func (v *purity) conversion(n *ast.CallExpr) {
	if len(n.Args) != 1 || !v.info.Types[n.Fun].IsType() || !isFloat(v.info.TypeOf(n.Fun)) {
		return
	}
	v.keep(n.Args[0])
}

func (v *purity) keep(e ast.Expr) {
	if v.wrapped == nil {
		v.wrapped = map[ast.Expr]bool{}
	}
	v.wrapped[ast.Unparen(e)] = true
}

// inexact says whether an expression is a float that is computed when the program runs.
func (v *purity) inexact(e ast.Expr) bool {
	t := v.info.Types[e]
	if t.Type == nil {
		t.Type = v.info.TypeOf(e)
	}
	return t.Value == nil && isFloat(t.Type)
}

func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

// assign refuses writing to a variable of a package, or into one.
func (v *purity) assign(n ast.Node, left ast.Expr) {
	for {
		switch e := left.(type) {
		case *ast.ParenExpr:
			left = e.X
		case *ast.IndexExpr:
			left = e.X
		case *ast.StarExpr:
			left = e.X
		case *ast.SelectorExpr:
			if x, ok := v.info.Uses[e.Sel].(*types.Var); ok && !x.IsField() {
				v.report(n, "changes the package variable %s", x.Name())
				return
			}
			left = e.X
		case *ast.Ident:
			x, ok := v.info.Uses[e].(*types.Var)
			if ok && x.Pkg() != nil && x.Parent() == x.Pkg().Scope() {
				v.report(n, "changes the package variable %s", x.Name())
			}
			return
		default:
			return
		}
	}
}

func TestPureRooms(t *testing.T) {
	var paths []string
	clockless := map[string]bool{}
	for _, r := range rooms {
		if r.pure || r.clockless {
			paths = append(paths, module+r.path)
		}
		clockless[module+r.path] = r.clockless
	}
	c := newChecker(t, paths...)
	for _, p := range list(t, nil, paths...) {
		if len(p.GoFiles) == 0 {
			continue // not built yet
		}
		t.Run(strings.TrimPrefix(p.ImportPath, module), func(t *testing.T) {
			names := make([]string, len(p.GoFiles))
			for k, name := range p.GoFiles {
				names[k] = filepath.Join(p.Dir, name)
			}
			s, err := c.check(p.ImportPath, names, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range impurities(s) {
				if !clockless[p.ImportPath] || strings.Contains(wrong, ": "+clockRule) {
					t.Error(wrong)
				}
			}
		})
	}
}

// Each rule bites, and spares what it should.
func TestImpurities(t *testing.T) {
	c := newChecker(t, "math", "time", "maps", "slices", "math/rand/v2")
	head := "package p\nimport (\"maps\"; \"math\"; \"math/rand/v2\"; \"slices\"; \"time\")\n" +
		"var _ = maps.Clone[map[int]int]\nvar _ = math.Abs\nvar _ = rand.New\nvar _ = slices.Sort[[]int]\nvar _ = time.UnixMilli\n" +
		"type s struct{ n int; m map[int]int }\nvar global s\nvar table = map[int]int{}\nvar pointer = &s{}\n"
	for _, try := range []struct{ code, want string }{
		{"func f() { go f() }", "starts a goroutine"},
		{"func f() float64 { return math.Sin(1) }", "math.Sin differs between chips"},
		{"var f = math.Exp", "math.Exp differs"},
		{"func f(x float64) float64 { return math.FMA(x, x, x) }", "math.FMA differs"},
		{"func f(x float64) float64 { return math.Sqrt(x) + math.Floor(math.Pi) }", ""},
		{"func f() time.Time { return time.Now() }", "time.Now reads a clock"},
		{"var now = time.Now", "time.Now reads a clock"},
		{"func f(t time.Time) time.Duration { return time.Since(t) }", "time.Since reads a clock"},
		{"func f() { time.Sleep(1) }", "time.Sleep reads a clock"},
		{"var zone = time.Local", "time.Local reads"},
		{"func f() time.Time { return time.UnixMilli(0).UTC() }", ""},
		{"func f() int { return rand.IntN(3) }", "rand.IntN draws from the global source"},
		{"func f() int { return rand.New(rand.NewPCG(1, 2)).IntN(3) }", ""},
		{"func f(x, y float64) float64 { return x*y + 1 }", "a product of floats"},
		{"func f(x, y float32) float32 { return x * y }", "a product of floats"},
		{"func f(x, y float64) float64 { x *= y; return x }", "a product of floats"},
		{"type metres float64\nfunc f(x metres) metres { return x * 2 }", "a product of floats"},
		{"func f(x, y float64) float64 { return float64(x*y) + 1 }", ""},
		{"func f(x, y float64) float64 { return float64((x * y)) }", ""},
		{"func f(x, y, z float64) float64 { return float64(x*y + z) }", "a product of floats"},
		{"func f(x, y, z float64) float64 { return float64(x*y*z) }", "a product of floats"},
		{"func f(x, y, z float64) float64 { return float64(float64(x*y)*z) }", ""},
		{"const c = 2.5 * 3\nvar d = 2 * math.Pi", ""},
		{"func f(x, y int) int { x *= y; return x * y }", ""},
		{"func f(m map[int]int) { for range m {} }", "ranges over a map"},
		{"type t map[int]int\nfunc f(m t) { for range m {} }", "ranges over a map"},
		{"func f(m map[int]int) { for range m {} // order:\n}", "ranges over a map"},
		{"func f(m map[int]int) { for range m {} // order: a sum has none\n}", ""},
		{"func f(m map[int]int) {\n// order: a sum has none,\n// whatever comes first\nfor range m {}\n}", ""},
		{"func f(m []int) { for range m {} }", ""},
		{"func f(m map[int]int) []int { return slices.Collect(maps.Keys(m)) }", "maps.Keys has no order"},
		{"func f(m map[int]int) []int { return slices.Sorted(maps.Keys(m)) }", ""},
		{"func f() { global.n = 1 }", "changes the package variable global"},
		{"func f() { global.n++ }", "changes the package variable global"},
		{"func f() { table[1] = 2 }", "changes the package variable table"},
		{"func f() { global.m[1]++ }", "changes the package variable global"},
		{"func f() { pointer.n = 2 }", "changes the package variable pointer"},
		{"func f() { (*pointer) = s{} }", "changes the package variable pointer"},
		{"func f(x *s) { x.n = 1; global := s{}; global.n = 2; var y []int; y = append(y, 1); _ = y }", ""},
	} {
		s, err := c.check("p", []string{"p.go"}, map[string]string{"p.go": head + try.code})
		if err != nil {
			t.Errorf("%s: %v", try.code, err)
			continue
		}
		got := strings.Join(impurities(s), "\n")
		if try.want == "" && got != "" || try.want != "" && (!strings.Contains(got, try.want) || strings.Contains(got, "\n")) {
			t.Errorf("%s\ngot %q, want %q once", try.code, got, try.want)
		}
	}
}
