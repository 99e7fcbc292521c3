package catalog

import (
	"fmt"
	"testing"

	"github.com/tact-edge/tact/context/event"
)

// Every name is found at its place, in lists of every small length, and nothing between them.
func TestNames(t *testing.T) {
	for n := range 9 {
		b := &Bundle{}
		for k := range n {
			b.Actions = append(b.Actions, Action{Name: fmt.Sprintf("a%02d", 2*k+1)})
		}
		for k := range n {
			name := fmt.Sprintf("a%02d", 2*k+1)
			if got := b.ActionIndex(name); got != int32(k) || b.Action(name) != &b.Actions[k] {
				t.Errorf("of %d actions %s is number %d, want %d", n, name, got, k)
			}
		}
		for k := range n + 1 {
			if name := fmt.Sprintf("a%02d", 2*k); b.ActionIndex(name) != -1 || b.Action(name) != nil {
				t.Errorf("of %d actions %s was found", n, name)
			}
		}
	}
}

// A subject is as sensitive as what it lies below, and as the kinds of either; kinds that
// name each other end.
func TestSensitivity(t *testing.T) {
	b := &Bundle{Subjects: []SubjectInfo{
		{Name: "belts", Kind: "supports"},
		{Name: "care", Sensitive: "health"},
		{Name: "care/plain", Kind: "goods"},
		{Name: "egg", Kind: "hen"},
		{Name: "hen", Kind: "egg"},
		{Name: "supports", Kind: "care"},
	}}
	for _, c := range []struct{ subject, want string }{
		{"", ""},
		{"care", ""}, // a type alone is no subject
		{"product:care", "health"},
		{"product:care/cream/small", "health"},
		{"product:care/plain", "health"},
		{"product:belts/black", "health"},
		{"product:careful", ""},
		{"product:egg", ""},
		{"product:tyres", ""},
	} {
		if got := b.Sensitivity(event.Subject(c.subject)); got != c.want {
			t.Errorf("%q is sensitive for %q, want %q", c.subject, got, c.want)
		}
	}
}
