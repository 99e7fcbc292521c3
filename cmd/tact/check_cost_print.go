package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
)

const (
	mostSessions    = 1_000_000 // of one device
	mostConditions  = 10        // that are printed
	mostInputs      = 20        // that are printed
	mostReasons     = 3         // of a condition, beside its windows
	longestSentence = 100       // characters of a condition that is printed
)

// cost prints what a policy costs.
func (a *app) cost(b *catalog.Bundle, written []policy.Written, sessions int, asJSON bool) error {
	shown, err := costOf(b, written, sessions)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(struct {
			Cost *costShown `json:"cost"`
		}{shown})
	}
	var out strings.Builder
	fmt.Fprintf(&out, "What %s costs, in steps: a comparison that turns, a way from it to a condition or\nan action, a term or node that is worked out (\"tact help check\" says more).\n\n", shown.Policy)
	shown.printInputs(&out)
	shown.printConditions(&out)
	shown.printMemory(&out)
	_, err = fmt.Fprint(a.stdout, out.String())
	return err
}

// printInputs prints the table of what conditions read.
func (s *costShown) printInputs(out *strings.Builder) {
	if len(s.Inputs) == 0 {
		out.WriteString("No condition reads anything.\n\n")
		return
	}
	out.WriteString("What a change costs, the most expensive first:\n\n")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "a change of\tis a\tusual\tat most\teach session\tat most\twhat stands on it\n")
	for k := range s.Inputs[:min(len(s.Inputs), mostInputs)] {
		x := &s.Inputs[k]
		across, most := "-", "-"
		if x.Scope == "device" {
			across, most = number(x.Across.Steps), number(x.AcrossMost.Steps)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cut(x.Input, 40), x.From, number(x.Usual.Steps), number(x.Most.Steps), across, most, x.hangs())
	}
	_ = t.Flush() // a Builder takes everything
	if more := len(s.Inputs) - mostInputs; more > 0 {
		fmt.Fprintf(out, "and %s that cost less (--json has all)\n", counts(more, "more input"))
	}
	out.WriteString("\nUsual is the mean of all changes that turn a comparison. What is of the device is worked out\n" +
		"once for all; \"each session\" is what everyone who is served at that time takes from it.\n\n")
}

// hangs says in words what stands on an input.
func (x *inputShown) hangs() string {
	var list []string
	for _, of := range []struct {
		n    int
		what string
	}{{x.Keys, "limit"}, {x.Equalities, "value"}, {x.Formulas, "formula"}, {x.Nodes, "node"}, {x.Windows, "window"}, {x.Timers, "timer"}} {
		if of.n > 0 {
			list = append(list, counts(of.n, of.what))
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// printConditions prints the most expensive conditions with their reasons, and what to do about such.
func (s *costShown) printConditions(out *strings.Builder) {
	if len(s.Conditions) == 0 {
		return
	}
	out.WriteString("The most expensive conditions, in steps where each thing that they read changes once:\n\n")
	var forms []string
	for k := range s.Conditions[:min(len(s.Conditions), mostConditions)] {
		c := &s.Conditions[k]
		also := ""
		if c.Also > 0 {
			also = ", and in " + counts(c.Also, "other place")
		}
		whys, index := c.whys()
		fmt.Fprintf(out, "%6d  %s %s  %s:%d%s%s\n", c.Steps, c.of(), c.Key, c.File, c.Line, also, index)
		for _, why := range whys {
			fmt.Fprintf(out, "        %s\n", why)
		}
		for _, p := range c.Parts {
			if _, ok := remedies[p.Form]; ok && !slices.Contains(forms, p.Form) {
				forms = append(forms, p.Form)
			}
		}
	}
	if more := len(s.Conditions) - mostConditions; more > 0 {
		fmt.Fprintf(out, "        and %s that cost less (--json has all)\n", counts(more, "more condition"))
	}
	out.WriteString("\n")
	if len(forms) == 0 {
		out.WriteString("All of them compare with constants, which is found by index: nothing is to be gained.\n\n")
		return
	}
	out.WriteString("What can be done, where it matters:\n")
	for _, form := range []string{"list", "window", "formula", "memory", "node"} {
		if slices.Contains(forms, form) {
			fmt.Fprintf(out, "  %s\n", remedies[form])
		}
	}
	out.WriteString("  Equal conditions of all actions are one, so a part costs once however many read it.\n\n")
}

// of names what a condition belongs to.
func (c *conditionShown) of() string {
	kind := map[string]string{"actions": "action", "groups": "group", "states": "state", "derived": "derived value", "session": "session"}[c.Section]
	return strings.TrimSpace(kind + " " + c.Name)
}

// remedies say what to do about a form of cost.
var remedies = map[string]string{
	"list":    "list: let the hub work out what you look for, and send that as a fact of its own.",
	"window":  "window: a shorter time holds fewer readings; so does a sensor that speaks less often.",
	"formula": "formula: compare one thing with a constant where that says the same: it is found by index.",
	"memory":  "memory: let held, since and became look at what seldom turns, not at what always moves.",
	"node":    "node: texts, parts of times and choices are worked out anew each time: let the source send\n  what you need, as a signal or fact of its own.",
}

// reason is what parts of one form cost for one piece of a condition.
type reason struct {
	partShown
	things int
}

// whys says what makes a condition cost what it does: its dearest pieces; index is what else is found by index.
func (c *conditionShown) whys() (list []string, index string) {
	var reasons []reason
	indexed := 0
	for k := range c.Parts {
		p := c.Parts[k]
		if p.Form == "key" || p.Form == "equality" {
			indexed++
			continue
		}
		at := slices.IndexFunc(reasons, func(r reason) bool { return r.Form == p.Form && r.Condition == p.Condition })
		if at < 0 {
			reasons = append(reasons, reason{p, 1})
			continue
		}
		r := &reasons[at]
		r.things++
		r.Steps, r.Bytes, r.Timed = r.Steps+p.Steps, r.Bytes+p.Bytes, r.Timed || p.Timed
		for _, name := range p.Reads {
			if !slices.Contains(r.Reads, name) {
				r.Reads = append(slices.Clip(r.Reads), name)
			}
		}
	}
	slices.SortStableFunc(reasons, func(x, y reason) int { return cmp.Compare(y.Steps, x.Steps) })
	for k := range reasons {
		if k < mostReasons || reasons[k].Form == "window" {
			list = append(list, reasons[k].String())
		}
	}
	if more := len(reasons) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %s that cost less", counts(more, "more piece")))
	}
	if indexed > 0 {
		index = fmt.Sprintf("  (%s found by index)", counts(indexed, "comparison"))
	}
	return list, index
}

// String says in a line what is done, and when.
func (r reason) String() string {
	when := "when time comes"
	if len(r.Reads) > 0 {
		when = "at a change of " + some(r.Reads)
		if r.Timed {
			when += ", and when time comes"
		}
	}
	what := map[string][2]string{
		"list": {"a list is looked through", "lists are looked through"}, "window": {"what was within a time is kept", "what was within a time is kept, in %d windows"},
		"formula": {"a formula is worked out", "formulas are worked out"}, "memory": {"it remembers what was", "%d pieces remember what was"},
		"node": {"it is worked out anew", "%d pieces are worked out anew"},
	}[r.Form]
	text := what[0]
	if r.things > 1 {
		text = strings.Replace(what[1], "%d", fmt.Sprint(r.things), 1)
	}
	text = fmt.Sprintf("%s: %s %s (%s", cut(r.Condition, longestSentence), text, when, counts(r.Steps, "step"))
	if r.Form == "window" {
		text += ", up to " + size(r.Bytes)
	}
	return text + ")"
}

// some names the first few of a list.
func some(list []string) string {
	const shown = 4
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}

// printMemory prints what conditions take in memory.
func (s *costShown) printMemory(out *strings.Builder) {
	m, p := &s.Memory, &s.Program
	out.WriteString("Memory of conditions, on a 64-bit machine:\n")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  the program\t%s, shared by all: %s, %s, %s, %s\n", size(p.Bytes), counts(p.Nodes, "node"), counts(p.Comparisons, "comparison"), counts(p.Counters, "counter"), counts(p.Edges, "way"))
	full := func(windows, most int) string {
		if windows == 0 {
			return ""
		}
		return fmt.Sprintf(", up to %s where %s full", size(most), are(windows, "window"))
	}
	fmt.Fprintf(t, "  the device\t%s%s\n", size(m.Device), full(m.DeviceWindows, m.DeviceMost))
	fmt.Fprintf(t, "  each session\t%s%s\n", size(m.Session), full(m.SessionWindows, m.SessionMost))
	fmt.Fprintf(t, "  the device with %s\t%s%s\n", counts(m.Sessions, "session"), size(m.All), full(m.DeviceWindows+m.Sessions*m.SessionWindows, m.AllMost))
	_ = t.Flush()
	fmt.Fprintf(out, "What is known of customers comes on top. The bundle is a file of %s.\n", size(p.Bundle))
}

// are prints a number with its word and verb: 1 window is, 2 windows are.
func are(n int, what string) string {
	if n == 1 {
		return counts(n, what) + " is"
	}
	return counts(n, what) + " are"
}

// size prints bytes.
func size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1000_000)
}

// number prints steps: whole ones as such.
func number(x float64) string {
	if x == float64(int64(x)) {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.1f", x)
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}
