package funnel

import (
	"strings"

	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// Funnel is a decision on its way through the stages.
type Funnel struct {
	Decision *engine.Decision
	Stages   []Stage
	Listed   []string      // ranks 2..N of a list
	Worth    *engine.Worth // of the winner; nil for silence, for a fallback, and where the moment is not known
	Inputs   []Input       // in order of name
	Alone    bool          // nobody else can see the slot, certainly
	// WhyNot is what would have had to be different for one action to win, Smallest the smallest change that
	// would have made any other; nil where nobody asked, or no moment tells.
	WhyNot, Smallest *engine.Answer
}

// Stage is one stage, with those that fell there in order of name.
type Stage struct {
	Stage   catalog.Stage
	Entered int
	Fallen  []engine.Rejected
}

// Input is a name that the winner uses, and what it stood for.
type Input struct {
	Name string
	engine.Look
	Known  bool           // it stands for something
	Origin *engine.Origin // where a fact came from; nil for what is none, or where that is not known
	// Happened is when that took place of a kind of interaction on which the winner rests; 0 where it rests on none.
	Happened sense.Instant
}

// Of makes the funnel. look tells what a name stood for at the decision; it may be nil.
func Of(b *catalog.Bundle, d *engine.Decision, look func(name string) (engine.Look, bool)) Funnel {
	d.Explain()
	f := Funnel{Decision: d}
	for _, l := range d.List {
		f.Listed = append(f.Listed, l.Action)
	}
	won := 0
	if d.Action != "silence" {
		won = 1
	}
	entered := len(d.Rejected) + won + len(f.Listed)
	for s := catalog.StageQuiet; s <= catalog.StageTreatment; s++ {
		st := Stage{Stage: s, Entered: entered}
		for _, r := range d.Rejected {
			if r.Stage == s {
				st.Fallen = append(st.Fallen, r)
			}
		}
		entered -= len(st.Fallen)
		f.Stages = append(f.Stages, st)
	}
	if won == 1 && d.Cause == "" {
		f.Worth = plainWorth(b, d)
	}
	for _, name := range d.Uses {
		in := Input{Name: name}
		if look != nil {
			in.Look, in.Known = look(name)
		}
		f.Inputs = append(f.Inputs, in)
	}
	return f
}

// From makes the funnel of a decision from its moment, which tells more: where facts came from, and all of
// what the winner is worth.
func From(p *engine.Past, d *engine.Decision) Funnel {
	f := Of(p.Bundle(), d, p.Look)
	f.Alone = p.Alone()
	if d.Action != "silence" && d.Cause == "" {
		if w, ok := p.Worth(d.Action); ok {
			f.Worth = &w
		}
	}
	for k := range f.Inputs {
		if o, ok := p.Origin(f.Inputs[k].Name); ok {
			f.Inputs[k].Origin = &o
		}
		f.Inputs[k].Happened, _ = p.Happened(d.Action, f.Inputs[k].Name)
	}
	return f
}

// AskWhyNot adds what would have had to be different: for an action, the best loser where it is empty, and
// for any. The error is engine.ErrNotRejected.
func (f *Funnel) AskWhyNot(p *engine.Past, action string) error {
	if action == "" {
		action = engine.BestLoser(f.Decision)
	}
	if action == "" {
		return nil // there was nobody else
	}
	a, err := p.WhyNot(action)
	if err != nil {
		return err
	}
	f.WhyNot = &a
	if s := p.Smallest(); s.Action != "" {
		f.Smallest = &s
	}
	return nil
}

// plainWorth works the winner's worth out without its moment: nil where that would not tell all.
func plainWorth(b *catalog.Bundle, d *engine.Decision) *engine.Worth {
	a := b.Action(d.Action)
	if a == nil || len(a.Weights) > 0 {
		return nil
	}
	w := engine.Worth{Value: a.Value, Propensity: d.Propensity, Lever: a.Lever, GroupLever: catalog.One, Own: a.Bother, Elsewhere: a.Elsewhere, Expected: d.Value, Mandatory: a.Mandatory}
	if a.Group >= 0 {
		if len(b.Groups[a.Group].Weights) > 0 {
			return nil
		}
		w.GroupLever = b.Groups[a.Group].Lever
	}
	w.Bother = arbiter.Expected(w.Value, w.Elsewhere, w.Propensity, w.Lever, w.GroupLever) - d.Value
	return &w
}

// Because prints one reason's ground for people: purchase 2026-02-09 (21d old), temperature -3 (age 31m; needs <= 30m).
func Because(b catalog.Because) string {
	var s strings.Builder
	s.WriteString(b.Name)
	if !b.Value.IsNull() {
		s.WriteString(" ")
		s.WriteString(Value(b.Value))
	}
	var notes []string
	if b.Age != catalog.NoAge {
		notes = append(notes, Ago(b.Age)+" old")
	}
	if b.Needed != "" {
		notes = append(notes, "needs "+b.Needed)
	}
	if len(notes) > 0 {
		s.WriteString(" (" + strings.Join(notes, "; ") + ")")
	}
	return s.String()
}

// Value prints a value for people: text and dates without quotes.
func Value(v sense.Value) string {
	s := v.String()
	if len(s) >= 2 && s[0] == '"' {
		if v.Kind() == sense.String {
			return v.Str()
		}
		return s[1 : len(s)-1]
	}
	return s
}

// Ago prints a length for people, cut to its two largest units: 21d, 1h30m, 12.5s.
func Ago(d sense.Duration) string {
	switch {
	case d < 0:
		return "-" + Ago(-d)
	case d < sense.Minute:
		return Micro(int64(d)*1000) + "s"
	case d < sense.Hour:
		return (d / sense.Minute * sense.Minute).String() + rest(d%sense.Minute, sense.Second)
	case d < sense.Day:
		return (d / sense.Hour * sense.Hour).String() + rest(d%sense.Hour, sense.Minute)
	}
	return (d / sense.Day * sense.Day).String() + rest(d%sense.Day, sense.Hour)
}

func rest(d, unit sense.Duration) string {
	if d < unit {
		return ""
	}
	return (d / unit * unit).String()
}

// Micro prints millionths as a plain number.
func Micro(n int64) string { return string(sense.AppendMicro(nil, n, 6)) }
