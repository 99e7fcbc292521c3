package funnel

import (
	"fmt"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
)

// Paint colours a text; nil leaves it as it is. Tone is one of good, bad, faint, strong.
type Paint func(tone, text string) string

func (p Paint) as(tone, text string) string {
	if p == nil {
		return text
	}
	return p(tone, text)
}

// MostFallen is how many candidates a stage names when printed, unless all are wanted.
const MostFallen = 12

// Text prints the funnel for people, each line ending in a newline.
func (f *Funnel) Text(currency string, all bool, paint Paint) string {
	var b strings.Builder
	f.head(&b, currency, paint)
	width := 0
	for _, r := range f.Decision.Rejected {
		width = max(width, len(r.Action))
	}
	b.WriteString("\nstage        entered  fell\n")
	for _, s := range f.Stages {
		if s.Entered == 0 {
			continue
		}
		line := fmt.Sprintf("%-11s  %7d  %4d", s.Stage, s.Entered, len(s.Fallen))
		if len(s.Fallen) == 0 {
			fmt.Fprintln(&b, paint.as("faint", line))
			continue
		}
		fmt.Fprintln(&b, line)
		for k, r := range s.Fallen {
			if k == MostFallen && !all {
				fmt.Fprintf(&b, "    ... and %d more: %s\n", len(s.Fallen)-k, counts(s.Fallen[k:]))
				break
			}
			fmt.Fprintf(&b, "    %-*s  %s%s\n", width, r.Action, paint.as("bad", r.Reason.String()), grounds(r.Because))
		}
	}
	f.tail(&b, paint)
	f.instead(&b, paint)
	return b.String()
}

func (f *Funnel) head(b *strings.Builder, currency string, paint Paint) {
	d := f.Decision
	id := d.ID
	if id == "" {
		id = "(no decision: silence that nobody asked for)"
	}
	who := d.Customer
	if who == "" {
		who = "nobody"
	}
	asked := "unasked"
	if d.Asked {
		asked = "asked"
	}
	fmt.Fprintf(b, "%s  %s\n", paint.as("strong", id), d.At)
	fmt.Fprintf(b, "slot %s, session %s, for %s, %s, policy %s\n\n", d.Slot, d.Session, who, asked, d.Policy)
	switch {
	case d.Action == "silence":
		fmt.Fprintf(b, "%s because %s\n", paint.as("strong", "silence"), paint.as("bad", d.Cause))
	case d.Cause != "":
		fmt.Fprintf(b, "%s as the fallback of the slot\n", paint.as("good", d.Action))
	default:
		fmt.Fprintf(b, "%s, %s, for %s %s\n", paint.as("good", d.Action), d.Treatment, Micro(d.Value), currency)
	}
	if d.Text != nil {
		for _, part := range []string{d.Text.Title, d.Text.Text} {
			if part != "" {
				fmt.Fprintf(b, "    %q\n", part)
			}
		}
	}
	if w := f.Worth; w != nil {
		fmt.Fprintf(b, "    %s\n", sum(w))
	}
	if d.Priced {
		fmt.Fprintf(b, "    price %s %s, normally %s\n", Micro(d.Price), currency, Micro(d.Normal))
	}
	for k, name := range f.Listed {
		fmt.Fprintf(b, "    %d. %s, for %s\n", k+2, name, Micro(d.List[k].Value))
	}
}

// sum prints how a worth is worked out.
func sum(w *engine.Worth) string {
	s := Micro(w.Value) + " value x " + Micro(w.Propensity) + " propensity" + factor(w.Lever, "lever") + factor(w.GroupLever, "group's lever")
	for _, x := range w.Weights {
		s += factor(x.Factor, "weight ("+x.When+")")
	}
	s += " - " + Micro(w.Bother) + " bother"
	if more := w.Bother - w.Own; more != 0 && w.Own > 0 {
		s += " (" + Micro(w.Own) + " of its own, " + Micro(more) + " by earlier contacts)"
	}
	if w.Elsewhere != 0 {
		s += " - " + Micro(w.Elsewhere) + " to be completed elsewhere"
	}
	return s + " = " + Micro(w.Expected) + mandatory(w.Mandatory)
}

// instead prints what would have had to be different.
func (f *Funnel) instead(b *strings.Builder, paint Paint) {
	if f.WhyNot == nil {
		return
	}
	b.WriteString("\nwhat would have had to be different\n")
	fmt.Fprintf(b, "    for %s to win: %s\n", f.WhyNot.Action, answer(f.WhyNot, paint))
	switch {
	case f.Smallest == nil:
		b.WriteString("    no change was found with which any other would have won\n")
	case f.Smallest.Action == f.WhyNot.Action:
		b.WriteString("    it is the smallest change that would have made another action win\n")
	default:
		fmt.Fprintf(b, "    smallest change for any other to win: %s: %s\n", f.Smallest.Action, answer(f.Smallest, paint))
	}
}

func answer(a *engine.Answer, paint Paint) string {
	if a.Never != catalog.NoReason {
		s := "nothing would do: " + paint.as("bad", a.Never.String())
		if why := a.Why(); why != "" {
			s += ", " + why
		}
		return s
	}
	var all []string
	for k := range a.Changes {
		all = append(all, a.Changes[k].Text())
	}
	return strings.Join(all, "; ") + "; then it is worth " + Micro(a.Value)
}

func factor(lever catalog.Micro, name string) string {
	if lever == catalog.One {
		return ""
	}
	return " x " + Micro(lever) + " " + name
}

func mandatory(yes bool) string {
	if yes {
		return "; mandatory, so the value decides nothing"
	}
	return ""
}

func (f *Funnel) tail(b *strings.Builder, paint Paint) {
	if len(f.Inputs) == 0 {
		return
	}
	width := 0
	for _, in := range f.Inputs {
		width = max(width, len(in.Name))
	}
	b.WriteString("\nuses\n")
	for _, in := range f.Inputs {
		fmt.Fprintf(b, "    %-*s  %s\n", width, in.Name, in.text(paint))
	}
}

func (in *Input) text(paint Paint) string {
	if !in.Known {
		return paint.as("faint", "-")
	}
	s := in.What
	if in.Why == catalog.NoReason || !in.Value.IsNull() {
		s += " " + Value(in.Value)
	}
	if in.Age != catalog.NoAge {
		s += ", " + Ago(in.Age) + " old"
	}
	if o := in.Origin; o != nil {
		s += ", " + o.Provenance.String()
		if o.Source != "" {
			s += " by " + o.Source
		}
		if o.Owner != "" {
			s += ", of " + o.Owner
		}
		s += " on " + o.Happened.String()
	}
	if in.Why != catalog.NoReason {
		s += ", " + paint.as("bad", in.Why.String())
	}
	return s
}

func grounds(list []catalog.Because) string {
	if len(list) == 0 {
		return ""
	}
	var parts []string
	for _, b := range list {
		parts = append(parts, Because(b))
	}
	return ": " + strings.Join(parts, ", ")
}

// counts says how many fell for which reason.
func counts(list []engine.Rejected) string {
	var codes []catalog.Reason
	number := map[catalog.Reason]int{}
	for _, r := range list {
		if number[r.Reason] == 0 {
			codes = append(codes, r.Reason)
		}
		number[r.Reason]++
	}
	var parts []string
	for _, c := range codes {
		parts = append(parts, fmt.Sprintf("%d %s", number[c], c))
	}
	return strings.Join(parts, ", ")
}
