package sim_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
)

// purposeOff: with a purpose refused by every customer (its consent withdrawn, or an objection
// raised), the lines are those of the same input without the facts, interactions and personal
// signals that are held for nothing else, byte for byte.
func purposeOff(p *pair) error {
	var may []int
	for k := range p.bundle.Purposes {
		if b := p.bundle.Purposes[k].Basis; b.NeedsGrant() || b.YieldsToObjection() {
			may = append(may, k)
		}
	}
	off := may[int(p.seed)%len(may)]
	refused := refuse(p, off)
	return differ(played(p.bundle, refused).text, played(p.bundle, without(p.bundle, off, refused)).text)
}

// refuse lets every customer refuse a purpose from the beginning, and never change her mind.
func refuse(p *pair, off int) []string {
	d := &p.bundle.Purposes[off]
	first, err := event.ParseLine([]byte(p.lines[0]))
	if err != nil {
		panic(err) // chance begins with good lines
	}
	var lines []string
	for _, who := range []string{"anna", "card:1", "crm:77", "bob"} {
		if d.Basis.NeedsGrant() {
			lines = append(lines, fmt.Sprintf(`{"at":%q,"consent":%q,"customer":%q,"granted":false}`, first.At, d.Name, who))
		} else {
			lines = append(lines, fmt.Sprintf(`{"at":%q,"objection":%q,"customer":%q,"raised":true}`, first.At, d.Name, who))
		}
	}
	for _, l := range p.lines {
		said := false
		if e, err := event.ParseLine([]byte(l)); err == nil {
			switch b := e.Body.(type) {
			case *event.Consent:
				said = b.Purpose == d.Name
			case *event.Objection:
				said = b.Purpose == d.Name
			case *event.Forget:
				said = true // who comes back has refused nothing
			}
			if e.ID != "" && heldFor(p.bundle, off, &e) { // another line may come under the same id
				l = strings.Replace(l, fmt.Sprintf(`,"id":%q`, e.ID), "", 1)
			}
		}
		if !said {
			lines = append(lines, l)
		}
	}
	return lines
}

// without leaves out what is held for one purpose alone. A line that is left out still lets its
// session exist, and its step be taken.
func without(b *catalog.Bundle, off int, lines []string) []string {
	kept := slices.Clone(lines)
	for k, l := range lines {
		e, err := event.ParseLine([]byte(l))
		if err != nil || !heldFor(b, off, &e) {
			continue
		}
		if _, signal := e.Body.(*event.Signal); signal {
			kept[k] = fmt.Sprintf(`{"at":%q,"signal":"gate","value":false,"session":%q}`, e.At, e.Session)
		} else {
			kept[k] = fmt.Sprintf(`{"at":%q,"tick":true}`, e.At)
		}
	}
	return kept
}

// heldFor says whether what a line tells is held for one purpose alone.
func heldFor(b *catalog.Bundle, off int, e *event.Event) bool {
	only := catalog.PurposeSet(1) << off
	switch body := e.Body.(type) {
	case *event.Fact:
		return slices.ContainsFunc(b.Facts, func(f catalog.Fact) bool { return f.Name == body.Name && f.Purposes == only })
	case *event.Interaction:
		return slices.ContainsFunc(b.Kinds, func(k catalog.Kind) bool { return k.Name == body.Kind && k.Purposes == only })
	case *event.Signal:
		// Who is not known has agreed to nothing, but has not objected either.
		return b.Purposes[off].Basis.NeedsGrant() && slices.ContainsFunc(b.Signals, func(s catalog.Signal) bool { return s.Name == body.Name && s.Scope != 0 && s.Purposes == only })
	}
	return false
}
