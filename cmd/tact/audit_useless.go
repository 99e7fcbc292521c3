package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// withheld is one thing that a policy declares, with what would change without it.
type withheld struct {
	Kind    string `json:"kind"` // fact, interaction, signal or derived
	Name    string `json:"name"`
	Seen    bool   `json:"seen"`    // whether the recording says anything of it; true for what is derived
	Changed int    `json:"changed"` // decisions that would be others without it

	index int // of a derived value
}

// uselessReport is what --useless prints.
type uselessReport struct {
	Policy    string     `json:"policy"`
	Decisions int        `json:"decisions"`
	Data      []withheld `json:"data"`
}

// longWork is the number of lines to play from which on progress is told.
const longWork = 200_000

// useless plays a recording with and without each thing that the policy declares.
func (a *app) useless(ctx context.Context, path string, f *auditFlags) error {
	if slices.Contains(slices.Concat(f.events, f.nmea, f.csv), "-") {
		return usage(errors.New("--useless plays the input many times: give a file in place of -"))
	}
	bundle, err := a.loadPolicy(path)
	if err != nil {
		return err
	}
	run := &counterfactual{a: a, f: f, b: bundle.Bundle}
	if run.until, run.hasUntil, err = (&replayFlags{until: f.until}).end(); err != nil {
		return err
	}
	if run.leases, err = f.leases(); err != nil {
		return err
	}
	refused := 0
	seen := map[withheld]bool{}
	lines := 0
	base, err := run.play(ctx, run.b, func(e event.Event) bool {
		lines++
		for _, w := range mentioned(e) {
			seen[w] = true
		}
		return true
	}, nil, a.refuse(&refused))
	if err != nil {
		return err
	}
	report := uselessReport{Policy: fmt.Sprintf("%s@%d", run.b.Name, run.b.Version), Decisions: base.n, Data: declaredData(run.b)}
	quiet := *a // what is to be said of the input was said
	quiet.stderr = io.Discard
	run.a = &quiet
	for k := range report.Data {
		w := &report.Data[k]
		w.Seen = w.Kind == "derived" || seen[withheld{Kind: w.Kind, Name: w.Name}]
		if !w.Seen {
			continue
		}
		if lines*len(report.Data) >= longWork {
			a.say("%d of %d: without %s %s", k+1, len(report.Data), w.Kind, w.Name)
		}
		other, err := run.without(ctx, w, base)
		if err != nil {
			return err
		}
		w.Changed = base.differs(other)
	}
	if err := a.printUseless(&report, f.format); err != nil {
		return err
	}
	return refusals(refused)
}

// declaredData lists what can be withheld, in the order of the register.
func declaredData(b *catalog.Bundle) []withheld {
	list := []withheld{}
	for k := range b.Facts {
		list = append(list, withheld{Kind: "fact", Name: b.Facts[k].Name})
	}
	for k := range b.Kinds {
		list = append(list, withheld{Kind: "interaction", Name: b.Kinds[k].Name})
	}
	for k := range b.Signals {
		list = append(list, withheld{Kind: "signal", Name: b.Signals[k].Name})
	}
	for k := range b.Derived {
		list = append(list, withheld{Kind: "derived", Name: b.Derived[k].Name, index: k})
	}
	return list
}

// mentioned names what a line says something of.
func mentioned(e event.Event) (list []withheld) {
	switch b := e.Body.(type) {
	case *event.Signal:
		list = append(list, withheld{Kind: "signal", Name: b.Name})
	case *event.Fact:
		list = append(list, withheld{Kind: "fact", Name: b.Name})
	case *event.Interaction:
		list = append(list, withheld{Kind: "interaction", Name: b.Kind})
	case *event.Ask:
		for k := range b.With {
			list = append(list, withheld{Kind: "signal", Name: b.With[k].Name})
		}
	}
	return list
}

// counterfactual plays one recording again and again.
type counterfactual struct {
	a        *app
	f        *auditFlags
	b        *catalog.Bundle
	until    sense.Instant
	hasUntil bool
	leases   bool
}

// without plays the recording as if one thing had never been said, or computed.
func (c *counterfactual) without(ctx context.Context, w *withheld, base *choices) (*choices, error) {
	b, keep := c.b, func(event.Event) bool { return true }
	if w.Kind == "derived" {
		b = withoutDerived(b, w.index)
	} else {
		keep = func(e event.Event) bool { return !slices.Contains(mentioned(e), withheld{Kind: w.Kind, Name: w.Name}) }
	}
	return c.play(ctx, b, keep, base, func(replay.Refused) {})
}

// play returns what was decided of the lines that are kept. Of an ask only the signals fall away.
// base is what was decided of all lines, nil where this is it: an answer to a decision that is not
// made so any more is not given.
func (c *counterfactual) play(ctx context.Context, b *catalog.Bundle, keep func(event.Event) bool, base *choices, refuse func(replay.Refused)) (*choices, error) {
	lines, done, err := c.a.open(&c.f.inputs, c.b)
	if err != nil {
		return nil, err
	}
	defer done()
	out := newChoices()
	source := func(yield func(replay.Line, error) bool) {
		for l, err := range lines {
			if err == nil && l.Err == nil {
				body, stays := less(l.Event, keep)
				if !stays {
					continue
				}
				l.Event.Body = body
			}
			if !yield(l, err) {
				return
			}
		}
	}
	config := (&replayFlags{device: "replay", from: 1}).engineConfig()
	config.Zone = policy.Zone
	player := replay.Player{Mind: engine.New(config), Bundle: &engine.BundleUpdate{Bundle: b}, Leases: c.leases, Out: out.take, Refuse: refuse}
	if base != nil {
		player.Took = func(_ sense.Instant, step []event.Event) {
			for k := range step { // by now all is decided that the line may answer
				step[k].Body = out.answer(base, step[k].Body)
			}
		}
	}
	return out, player.Play(ctx, source, c.until, c.hasUntil)
}

// less returns what is left of a line; stays is false where nothing is.
func less(e event.Event, keep func(event.Event) bool) (body event.Body, stays bool) {
	if keep(e) {
		return e.Body, true
	}
	ask, is := e.Body.(*event.Ask)
	if !is {
		return nil, false
	}
	left := *ask
	left.With = slices.DeleteFunc(slices.Clone(ask.With), func(s event.Signal) bool { return !keep(event.Event{Body: &s}) })
	return &left, true
}

// withoutDerived returns a bundle in which a derived value is never known: it is read from a
// signal that nothing sends.
func withoutDerived(b *catalog.Bundle, k int) *catalog.Bundle {
	n := b.Derived[k].Node
	if n == rule.None {
		return b
	}
	other := *b
	op := b.Program.Nodes[n]
	input := int32(len(b.Program.Inputs))
	name := "~" + b.Derived[k].Name // after every name that authors can write
	other.Signals = append(slices.Clone(b.Signals), catalog.Signal{Name: name, Kind: op.Kind, MaxAge: sense.Forever, Scope: op.Scope, Consent: -1, Input: input})
	other.Program.Inputs = append(slices.Clone(b.Program.Inputs), rule.Input{From: rule.FromSignal, Name: name, Kind: op.Kind, Scope: op.Scope, Index: int32(len(b.Signals))})
	other.Program.Nodes = slices.Clone(b.Program.Nodes)
	other.Program.Nodes[n] = rule.Op{Code: rule.Load, Kind: op.Kind, Scope: op.Scope, Input: input, Text: op.Text}
	return &other
}

// choices is what was decided, where and when.
type choices struct {
	n  int
	by map[placed][]string
	id map[spot]string // of decisions
	at map[string]spot // of decisions, by id
}

// spot is one decision of those made at one place and time.
type spot struct {
	placed
	n      int
	choice string
}

// placed is where and when a decision was made.
type placed struct {
	at            sense.Instant
	session, slot string
}

func newChoices() *choices {
	return &choices{by: map[placed][]string{}, id: map[spot]string{}, at: map[string]spot{}}
}

func (c *choices) take(o engine.Output) {
	for _, d := range o.Show {
		k := placed{d.At, d.Session, d.Slot}
		one := spot{k, len(c.by[k]), d.Action + " " + d.Cause + said(d.Text)}
		for _, r := range d.List {
			one.choice += "; " + r.Action + said(r.Text)
		}
		c.by[k] = append(c.by[k], one.choice)
		c.id[one], c.at[d.ID] = d.ID, one
		c.n++
	}
}

// said is what people read of a choice: a name that is only spoken is used, too.
func said(t *engine.Text) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf(" %+v", *t)
}

// answer makes a line that answers a decision of base answer the same decision here. Where it was
// not made, or chose otherwise, nobody knows what would have been answered: time passes instead.
func (c *choices) answer(base *choices, body event.Body) event.Body {
	here := func(id string) (string, bool) {
		one, known := base.at[id]
		if !known {
			return id, true
		}
		other, made := c.id[one]
		return other, made
	}
	switch b := body.(type) {
	case *event.Outcome:
		if id, made := here(b.Decision); made {
			return &event.Outcome{Outcome: b.Outcome, Decision: id, Slot: b.Slot}
		}
		return &event.Tick{}
	case *event.Interaction:
		one := *b
		if id, made := here(b.Ref); made {
			one.Ref = id
		} else {
			one.Ref = "without " + b.Ref // it happened, and answers nothing here
		}
		return &one
	}
	return body
}

// differs counts the decisions that only one of the two made so.
func (c *choices) differs(o *choices) (n int) {
	for k, mine := range c.by {
		theirs := o.by[k]
		for i := range max(len(mine), len(theirs)) {
			if i >= len(mine) || i >= len(theirs) || mine[i] != theirs[i] {
				n++
			}
		}
	}
	for k, theirs := range o.by {
		if len(c.by[k]) == 0 {
			n += len(theirs)
		}
	}
	return n
}

// verdict says what a count means.
func (w *withheld) verdict() string {
	switch {
	case !w.Seen:
		return "not in the recording"
	case w.Changed == 0:
		return "never changed a decision"
	}
	return ""
}

func (a *app) printUseless(r *uselessReport, format string) error {
	out := bufio.NewWriter(a.stdout)
	var err error
	switch format {
	case "json":
		err = a.printJSON(r)
	case "csv":
		w := csv.NewWriter(out)
		err = w.Write([]string{"kind", "name", "changed", "decisions", "note"})
		for k := range r.Data {
			x := &r.Data[k]
			err = errors.Join(err, w.Write([]string{x.Kind, x.Name, strconv.Itoa(x.Changed), strconv.Itoa(r.Decisions), x.verdict()}))
		}
		w.Flush()
		err = errors.Join(err, w.Error())
	default:
		fmt.Fprintf(out, "# What changed a decision of %s\n\n| kind | name | decisions that would be others without it | note |\n| --- | --- | --- | --- |\n", r.Policy)
		for k := range r.Data {
			x := &r.Data[k]
			note := x.verdict()
			if note == "" {
				note = "-"
			}
			fmt.Fprintf(out, "| %s | %s | %d | %s |\n", x.Kind, x.Name, x.Changed, note)
		}
	}
	if err := errors.Join(err, out.Flush()); err != nil {
		return err
	}
	never, unseen := 0, 0
	for k := range r.Data {
		switch x := &r.Data[k]; {
		case !x.Seen:
			unseen++
		case x.Changed == 0:
			never++
		}
	}
	a.say("%s: of %s in %s, %d never changed one, and %d are not in the recording", r.Policy, counts(len(r.Data), "name"), counts(r.Decisions, "decision"), never, unseen)
	return nil
}
