package chance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files are the files of a policy by name.
type Files map[string]string

// Write puts the files into a folder, which is there already.
func (f Files) Write(dir string) error {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(f[name]), 0o644); err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
	}
	return nil
}

// Policy writes the policy of a seed.
func Policy(seed uint64) Files {
	a := &author{dice: dice{rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}}
	a.header(seed)
	a.writePurposes()
	a.writeSignals()
	a.writeFacts()
	a.writeInteractions()
	a.writeSubjects()
	a.writeSlots()
	a.writePlaces()
	a.writeDerived()
	a.writeStates()
	policy := a.text()
	a.writeGroups()
	a.writeActions()
	actions := a.text()
	a.writeContact()
	return Files{"policy.yaml": policy, "actions.yaml": actions, "contact.yaml": a.text()}
}

// dice is chance from a seed.
type dice struct{ *rand.Rand }

// percent is true so many times in a hundred.
func (d dice) percent(p int) bool { return d.IntN(100) < p }

// one draws one of a list.
func one[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

// some draws at least so many of a list, in its order.
func some[T any](d dice, least int, list []T) []T {
	n := least
	if more := len(list) - least; more > 0 {
		n += d.IntN(more + 1)
	}
	order := d.Perm(len(list))[:min(n, len(list))]
	slices.Sort(order)
	drawn := make([]T, len(order))
	for k, at := range order {
		drawn[k] = list[at]
	}
	return drawn
}

// named is something that a policy declares, with the purposes that it is held for.
type named struct {
	name     string
	kind     string // its type
	purposes []string
	personal bool
	oneOf    []string
	from     []string
	special  bool
	owner    string
}

// purpose is why data may be used.
type purpose struct {
	name     string
	basis    string
	explicit bool
	unasked  bool
}

// author holds what a policy says so far.
type author struct {
	dice
	out       strings.Builder
	languages []string
	zone      string
	purposes  []purpose
	partners  map[string]string // partner to purpose
	signals   []named
	facts     []named
	kinds     []named
	derived   []named
	places    []string
	slots     []slot
	groups    []group
	actions   []drawn
	measures  []string
}

type slot struct {
	name, channel   string
	shared, unasked bool
}

type group struct{ name, purpose string }

// drawn is an action as far as others speak of it.
type drawn struct {
	name, intent, purpose, group, about string
}

func (a *author) text() string {
	s := a.out.String()
	a.out.Reset()
	return s
}

func (a *author) line(format string, args ...any) {
	fmt.Fprintf(&a.out, format+"\n", args...)
}

// names of things, in order.
func names(list []named) []string {
	all := make([]string, len(list))
	for k := range list {
		all[k] = list[k].name
	}
	return all
}

// per writes a text in every language of the policy, as {en: "...", nl: "..."}.
func (a *author) per(text string) string {
	var b strings.Builder
	for k, l := range a.languages {
		if k > 0 {
			b.WriteString(", ")
		}
		said := text
		if k > 0 {
			said = l + ": " + text
		}
		fmt.Fprintf(&b, "%s: %q", l, said)
	}
	return "{" + b.String() + "}"
}

// list writes [a, b].
func list(words []string) string { return "[" + strings.Join(words, ", ") + "]" }

// purposeNames draws at least one purpose.
func (a *author) purposeNames() []string {
	all := make([]string, len(a.purposes))
	for k := range a.purposes {
		all[k] = a.purposes[k].name
	}
	if a.percent(40) {
		return []string{one(a.dice, all...)}
	}
	return some(a.dice, 1, all)
}

func (a *author) purposeNamed(name string) purpose {
	for _, p := range a.purposes {
		if p.name == name {
			return p
		}
	}
	return purpose{}
}
