package sim_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/chance"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// differ names the first line in which two texts differ.
func differ(a, b []byte) error {
	if bytes.Equal(a, b) {
		return nil
	}
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for k := range x {
		if k == len(y) || !bytes.Equal(x[k], y[k]) {
			other := []byte("nothing")
			if k < len(y) {
				other = y[k]
			}
			at := 0
			for at < len(x[k]) && at < len(other) && x[k][at] == other[at] {
				at++
			}
			from := max(0, at-60)
			return fmt.Errorf("line %d differs at %d:\n%.900s\n...%.200s\n...%.200s", k+1, at, x[k], x[k][min(from, len(x[k])):], other[min(from, len(other)):])
		}
	}
	return fmt.Errorf("%d lines more", len(y)-len(x))
}

// sameBytes: nothing but the input decides.
func sameBytes(p *pair) error { return differ(p.base.text, played(p.bundle, p.lines).text) }

// touches names what a line is about, so that two lines with different names may change places
// within a step; empty for one that stays where it is.
func touches(line string) (name string, at sense.Instant) {
	e, err := event.ParseLine([]byte(line))
	if err != nil {
		return "", 0
	}
	if e.ID != "" {
		return "", e.At
	}
	switch b := e.Body.(type) {
	case *event.Signal:
		return "signal " + b.Name, e.At
	case *event.Fact:
		return "fact " + b.Name + " " + b.Customer + " " + b.Owner, e.At
	case *event.Consent:
		return "choice " + b.Purpose + " " + b.Customer, e.At
	case *event.Objection:
		return "choice " + b.Purpose + " " + b.Customer, e.At
	case *event.Restrict:
		return "restrict " + b.Customer, e.At
	case *event.Interaction:
		return "interaction " + b.Kind + " " + b.Customer, e.At
	}
	return "", e.At
}

// permutedSteps: lines of one step may come in any order, as long as those of one name keep theirs.
func permutedSteps(p *pair) error {
	chance := rand.New(rand.NewPCG(p.seed, 4))
	lines := slices.Clone(p.lines)
	for from := 0; from < len(lines); {
		name, at := touches(lines[from])
		to := from + 1
		for name != "" && to < len(lines) {
			other, when := touches(lines[to])
			if other == "" || when != at {
				break
			}
			to++
		}
		shuffle(chance, lines[from:to])
		from = to
	}
	return differ(p.base.text, played(p.bundle, lines).text)
}

// shuffle changes the order of lines, but not of those that touch one name.
func shuffle(chance *rand.Rand, lines []string) {
	queues := map[string][]string{}
	var order []string
	for _, l := range lines {
		name, _ := touches(l)
		queues[name] = append(queues[name], l)
		order = append(order, name)
	}
	chance.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
	for k, name := range order {
		lines[k], queues[name] = queues[name][0], queues[name][1:]
	}
}

// gated are actions that wait for a gate which never opens.
const gated = `actions:
  aaa-gated: {intent: information, value: 1000.00, eligible: "gate", say: %[1]s}
  zzz-gated: {intent: service, value: 0.01, mandatory: true, eligible: "gate", say: %[1]s}
`

// notEligibleAdded: two actions that are never eligible add two entries to rejected, and the
// cause of a silence is theirs only where none came as far.
func notEligibleAdded(p *pair) error {
	var say []string
	for _, l := range p.bundle.Languages {
		say = append(say, l+`: "Never said."`)
	}
	b, err := p.compiled(chance.Files{"gated.yaml": fmt.Sprintf(gated, "{"+strings.Join(say, ", ")+"}")})
	if err != nil {
		return err
	}
	after := played(b, p.lines)
	var one, two []byte
	var before []*engine.Decision
	_ = p.base.decisions(func(d *engine.Decision) error { before = append(before, d); return nil })
	k := 0
	err = after.decisions(func(d *engine.Decision) error {
		if k == len(before) {
			return fmt.Errorf("%s is one more", d.ID)
		}
		was := before[k]
		k++
		changed := *d
		changed.Rejected = slices.DeleteFunc(slices.Clone(d.Rejected), func(r engine.Rejected) bool { return strings.HasSuffix(r.Action, "-gated") })
		if d.Action == "silence" && d.Cause != was.Cause && d.Cause == "not_eligible" && !slices.ContainsFunc(was.Rejected, func(r engine.Rejected) bool { return r.Stage > catalog.StageEligible }) {
			changed.Cause = was.Cause // theirs came furthest
		}
		if one, two = was.AppendJSON(one[:0], -1), changed.AppendJSON(two[:0], -1); len(d.Rejected) != len(changed.Rejected)+2 {
			return fmt.Errorf("%s does not reject both: %s", d.ID, two)
		}
		return differ(one, two)
	})
	if err == nil && k < len(before) {
		return fmt.Errorf("%s is missing", before[k].ID)
	}
	return err
}

// valueRaised: with an action worth a thousand times as much, the first decision that changes keeps
// that action out where anything before ranking kept it out, and all that is promised of screens,
// consents and limits holds of what follows.
func valueRaised(p *pair) error {
	b := *p.bundle
	b.Actions = slices.Clone(b.Actions)
	raised := int(p.seed) % len(b.Actions)
	name := b.Actions[raised].Name
	b.Actions[raised].Value = b.Actions[raised].Value*1000 + catalog.One
	after := &pair{seed: p.seed, files: p.files, bundle: &b, lines: p.lines, base: played(&b, p.lines)}
	var was []*engine.Decision
	_ = p.base.decisions(func(d *engine.Decision) error { was = append(was, d); return nil })
	k, done := 0, false
	err := after.base.decisions(func(d *engine.Decision) error {
		if done || k == len(was) || was[k].At != d.At || was[k].Session != d.Session || was[k].Slot != d.Slot || was[k].Moment != d.Moment {
			done = true
			return nil
		}
		before := was[k]
		k++
		find := func(d *engine.Decision) *engine.Rejected {
			n := slices.IndexFunc(d.Rejected, func(r engine.Rejected) bool { return r.Action == name })
			if n < 0 {
				return nil
			}
			return &d.Rejected[n]
		}
		if r := find(before); r != nil && r.Stage < catalog.StageValue {
			if now := find(d); now == nil || now.Stage != r.Stage || now.Reason != r.Reason {
				return fmt.Errorf("%s: %s fell at %s because %s, and worth more: %+v, action %s", d.ID, name, r.Stage, r.Reason, now, d.Action)
			}
		}
		done = before.Action != d.Action
		return nil
	})
	for _, holds := range []func(*pair) error{candidatesAccounted, nothingPersonalSurvives, basisAtEveryInstant, aloneAtSharedScreens, wheelOnlyPasses, limitsKept, neverHolds} {
		if err == nil {
			err = holds(after)
		}
	}
	return err
}
