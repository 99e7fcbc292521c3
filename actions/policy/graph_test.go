package policy

import (
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/context/rule"
)

// Every node of a compiled program is read: what is not is evaluated, carried and kept for nothing.
func TestProgramHoldsWhatIsRead(t *testing.T) {
	folders, err := filepath.Glob("../../testdata/policies/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("find example policies: %v, %d found", err, len(folders))
	}
	for _, dir := range folders {
		b, findings, err := Compile(dir)
		if err != nil || b == nil {
			t.Fatalf("compile %s: %v %v", dir, err, findings)
		}
		nodes := b.Program.Nodes
		read := make([]bool, len(nodes))
		for _, n := range (&compiler{b: *b}).roots() {
			read[*n] = true
		}
		for k := len(nodes) - 1; k >= 0; k-- {
			for _, a := range nodes[k].Args {
				read[a] = true
			}
			if !read[k] {
				t.Errorf("%s: nothing reads node %d, %s", dir, k, nodes[k].Text)
			}
		}
	}
}

// A chain is one node, and its halves, of which the parser makes it, are none.
func TestChainIsOneNode(t *testing.T) {
	l, err := newLanguage(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := l.condition("local.hour > 1 && local.hour < 9 && local.hour != 4 && local.hour != 5")
	if got.node == rule.None {
		t.Fatal(got.bad)
	}
	p, index := l.graph.program([]rule.Node{got.node})
	ands := 0
	for k := range p.Nodes {
		if p.Nodes[k].Code == rule.And {
			ands++
		}
	}
	if top := &p.Nodes[index[got.node]]; ands != 1 || len(top.Args) != 4 {
		t.Errorf("%d chains, the last of %d", ands, len(top.Args))
	}
}
