package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// costShown is what a policy costs, the most expensive first.
type costShown struct {
	Policy     string           `json:"policy"`
	Inputs     []inputShown     `json:"inputs"`
	Conditions []conditionShown `json:"conditions"`
	Memory     memoryShown      `json:"memory"`
	Program    programShown     `json:"program"`
}

// inputShown is what hangs on one thing that conditions read, and the steps of a change of it.
type inputShown struct {
	Input      string    `json:"input"` // as in conditions: speed, inside(shop), bought('product:x')
	From       string    `json:"from"`  // signal, fact, place, history or calendar
	Scope      string    `json:"scope"` // device or session: once for all, or for each session
	Keys       int       `json:"keys"`
	Equalities int       `json:"equalities"`
	Formulas   int       `json:"formulas"`
	Nodes      int       `json:"nodes"`
	Windows    int       `json:"windows"`
	Timers     int       `json:"timers"`
	Usual      workShown `json:"usual"`
	Most       workShown `json:"most"`
	Across     workShown `json:"across"`      // what each session pays for a change of the device's
	AcrossMost workShown `json:"across_most"` // at most
}

type workShown struct {
	Steps   float64 `json:"steps"`
	Sources float64 `json:"sources"`
	Keys    float64 `json:"keys"`
	Edges   float64 `json:"edges"`
	Terms   float64 `json:"terms"`
	Nodes   float64 `json:"nodes"`
}

// conditionShown is one condition, where it is written first.
type conditionShown struct {
	Section string      `json:"section"`
	Name    string      `json:"name"`
	Key     string      `json:"key"`
	File    string      `json:"file"`
	Line    int         `json:"line"`
	Column  int         `json:"column"`
	Also    int         `json:"also"` // other places at which the very same condition stands
	Steps   int         `json:"steps"`
	Bytes   int         `json:"bytes"` // kept for it, at most
	Timed   bool        `json:"timed"` // time alone may turn it
	Reads   []string    `json:"reads"`
	Parts   []partShown `json:"parts"`
}

type partShown struct {
	Form      string   `json:"form"`
	Condition string   `json:"condition"`
	Reads     []string `json:"reads"`
	Steps     int      `json:"steps"`
	Once      int      `json:"once"`
	Timed     bool     `json:"timed"`
	Bytes     int      `json:"bytes"`
}

// memoryShown is in bytes of a 64-bit machine; what is most is with every window full.
type memoryShown struct {
	Device         int `json:"device"`
	DeviceMost     int `json:"device_most"`
	DeviceWindows  int `json:"device_windows"`
	Session        int `json:"session"`
	SessionMost    int `json:"session_most"`
	SessionWindows int `json:"session_windows"`
	Sessions       int `json:"sessions"` // so many
	All            int `json:"all"`      // the device and so many sessions
	AllMost        int `json:"all_most"`
}

type programShown struct {
	Inputs      int `json:"inputs"`
	Nodes       int `json:"nodes"`
	Stored      int `json:"stored"`
	Comparisons int `json:"comparisons"`
	Formulas    int `json:"formulas"`
	Counters    int `json:"counters"`
	Edges       int `json:"edges"`
	Bytes       int `json:"bytes"`  // in memory, shared by all sessions
	Bundle      int `json:"bundle"` // the whole file
}

// costOf works out what a policy costs on a device with so many sessions.
func costOf(b *catalog.Bundle, written []policy.Written, sessions int) (*costShown, error) {
	plan, err := rule.NewPlan(&b.Program, moment.Interest(b))
	if err != nil {
		return nil, fmt.Errorf("work out what %s@%d costs: %w", b.Name, b.Version, err)
	}
	c := plan.Cost()
	shown := &costShown{Policy: fmt.Sprintf("%s@%d", b.Name, b.Version), Inputs: []inputShown{}, Conditions: conditionsShown(plan, written)}
	for k := range c.Inputs {
		in, x := &b.Program.Inputs[k], &c.Inputs[k]
		shown.Inputs = append(shown.Inputs, inputShown{
			Input: inputText(in), From: sourceOf(b, in), Scope: scopeText(in.Scope), Keys: x.Keys, Equalities: x.Equalities, Formulas: x.Formulas,
			Nodes: x.Stored, Windows: x.Windows, Timers: x.Timers,
			Usual: workText(x.Usual), Most: workText(x.Most), Across: workText(x.Across), AcrossMost: workText(x.AcrossMost),
		})
	}
	slices.SortStableFunc(shown.Inputs, func(x, y inputShown) int {
		of := func(i *inputShown) float64 { return i.Usual.Steps + float64(float64(sessions)*i.Across.Steps) }
		return cmp.Or(cmp.Compare(of(&y), of(&x)), cmp.Compare(y.Most.Steps, x.Most.Steps))
	})
	d, own := c.Device, c.Session
	shown.Memory = memoryShown{d.Bytes, d.Most, d.Windows, own.Bytes, own.Most, own.Windows, sessions, d.Bytes + sessions*own.Bytes, d.Most + sessions*own.Most}
	p := c.Plan
	shown.Program = programShown{p.Inputs, p.Nodes, p.Stored, p.Comparisons, p.Formulas, p.Counters, p.Edges, p.Bytes, len(catalog.Encode(b))}
	return shown, nil
}

// conditionsShown lists conditions, each once however often it is written, the most expensive first.
func conditionsShown(plan *rule.Plan, written []policy.Written) []conditionShown {
	all, place := []conditionShown{}, map[rule.Node]int{}
	names := func(inputs []int32) []string {
		list := []string{}
		for _, k := range inputs {
			list = append(list, inputText(&plan.Program.Inputs[k]))
		}
		return list
	}
	for _, w := range written {
		if k, twice := place[w.Node]; twice {
			all[k].Also++
			continue
		}
		c := plan.Condition(w.Node)
		place[w.Node] = len(all)
		x := conditionShown{Section: w.Section, Name: w.Name, Key: w.Key, File: w.File, Line: w.Line, Column: w.Column,
			Steps: c.Steps, Bytes: c.Bytes, Timed: c.Timed, Reads: names(c.Inputs), Parts: []partShown{}}
		for _, p := range c.Parts {
			if p.Text == "" { // of a price, or a derived value: no smaller condition holds it
				p.Text = strings.TrimSpace(w.Name + " " + w.Key)
			}
			x.Parts = append(x.Parts, partShown{p.Form.String(), p.Text, names(p.Inputs), p.Steps, p.Once, p.Timed, p.Bytes})
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(x, y conditionShown) int {
		return cmp.Or(cmp.Compare(y.Steps, x.Steps), cmp.Compare(y.Bytes, x.Bytes))
	})
	return all
}

// workText rounds to hundredths.
func workText(w rule.Work) workShown {
	round := func(x float64) float64 { return math.Round(x*100) / 100 }
	return workShown{round(w.Steps()), round(w.Sources), round(w.Keys), round(w.Edges), round(w.Terms), round(w.Nodes)}
}

func scopeText(s rule.Scope) string {
	if s == rule.ScopeDevice {
		return "device"
	}
	return "session"
}

// inputText names an input as conditions do.
func inputText(in *rule.Input) string {
	switch in.From {
	case rule.FromHas:
		return "has(" + in.Name + ")"
	case rule.FromAge:
		return "age(" + in.Name + ")"
	case rule.FromInside:
		return "inside(" + in.Name + ")"
	case rule.FromDistance:
		return "distance(" + in.Name + ")"
	case rule.FromOpen:
		return "open(" + in.Name + ")"
	case rule.FromOverdue:
		return "overdue(" + in.Name + ")"
	case rule.FromUntil:
		if in.Subject != "" {
			return "until(" + in.Name + ", '" + string(in.Subject) + "')"
		}
		return "until(" + in.Name + ")"
	}
	if historical(in.From) {
		text := in.Name + "('" + string(in.Subject) + "'"
		if in.Window < sense.Forever {
			text += ", " + in.Window.String()
		}
		return text + ")"
	}
	return in.Name
}

func historical(from rule.From) bool { return from >= rule.FromBought && from <= rule.FromViewed }

// sourceOf says what kind of thing an input comes from.
func sourceOf(b *catalog.Bundle, in *rule.Input) string {
	switch from := in.From; {
	case from == rule.FromInside || from == rule.FromDistance:
		return "place"
	case from == rule.FromHour || from == rule.FromWeekday || from == rule.FromNow:
		return "calendar"
	case historical(from) || from == rule.FromOpen || from == rule.FromOverdue || from == rule.FromUntil:
		return "history"
	case from == rule.FromFact || from == rule.FromAge || from == rule.FromHas && b.SignalIndex(in.Name) < 0:
		return "fact"
	}
	return "signal"
}
