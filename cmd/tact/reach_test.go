package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/actions/policy/reach"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/chance"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/sense"
)

// neverShown plays a recording made by chance and fails where an action is shown that reasoning
// calls unreachable or outranked. It returns how many it called so, and how many were shown.
func neverShown(t *testing.T, seed uint64, b *catalog.Bundle) (flagged, shown int) {
	t.Helper()
	never := map[string]string{}
	for _, f := range reach.Find(b) {
		whole := f.Key == "" || strings.Contains(f.Message, "can never be true: ") || strings.HasSuffix(f.Message, "is never true")
		if f.Section == reach.Actions && whole && f.Key != reach.Weights && (f.Code == reach.Unreachable || f.Code == reach.Contradiction) {
			never[b.Actions[f.Index].Name] = f.Message
		}
	}
	out := func(o engine.Output) {
		for _, d := range o.Show {
			shown++
			if why, bad := never[d.Action]; bad {
				t.Errorf("seed %d: %s was shown at %s in %s, and %s", seed, d.Action, d.At, d.Slot, why)
			}
		}
	}
	events := strings.Join(chance.Events(seed, b, 400), "\n") + "\n"
	player := replay.Player{Mind: engine.New((&replayFlags{device: "replay", from: 1}).engineConfig()), Bundle: &engine.BundleUpdate{Bundle: b}, Out: out, Refuse: func(replay.Refused) {}}
	if err := player.Play(context.Background(), replay.Events("chance", strings.NewReader(events)), 0, false); err != nil {
		t.Fatal(err)
	}
	return len(never), shown
}

// byChance compiles the policy of a seed; nil where it contradicts itself.
func byChance(t *testing.T, seed uint64) *catalog.Bundle {
	t.Helper()
	dir := t.TempDir()
	if err := chance.Policy(seed).Write(dir); err != nil {
		t.Fatal(err)
	}
	b, _, err := policy.Compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What tact check calls unreachable is never shown: over policies and recordings made by chance,
// played through the whole mind.
func TestNothingUnreachableIsShown(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 15
	}
	flagged, shown := 0, 0
	for seed := range seeds {
		if b := byChance(t, seed); b != nil {
			f, s := neverShown(t, seed, b)
			flagged, shown = flagged+f, shown+s
		}
	}
	if flagged == 0 || shown == 0 {
		t.Errorf("%d actions were called unreachable, %d decisions made: the test proves nothing", flagged, shown)
	}
	t.Logf("%d actions called unreachable or outranked, none of them in %d decisions", flagged, shown)
}

// What tact check calls outranked never comes first: an action of each policy gets a rival that is
// worth more and asks for no more.
func TestNothingOutrankedComesFirst(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 15
	}
	outranked, shown := 0, 0
	for seed := range seeds {
		b := byChance(t, seed)
		if b == nil {
			continue
		}
		withRival(b)
		if slices.ContainsFunc(reach.Find(b), func(f reach.Found) bool { return strings.Contains(f.Message, "is always outranked by ~rival") }) {
			_, s := neverShown(t, seed, b)
			outranked, shown = outranked+1, shown+s
		}
	}
	if outranked < int(seeds)/10 || shown == 0 {
		t.Errorf("%d actions were called outranked, %d decisions made: the test proves nothing", outranked, shown)
	}
	t.Logf("%d actions called outranked, none of them first in %d decisions", outranked, shown)
}

// withRival gives the first action that is about something a rival, and takes away what names
// single actions.
func withRival(b *catalog.Bundle) {
	b.Contact.Limits = slices.DeleteFunc(b.Contact.Limits, func(l catalog.Limit) bool { return l.Action >= 0 })
	b.Contact.Volume = slices.DeleteFunc(b.Contact.Volume, func(v catalog.Volume) bool { return v.Action >= 0 })
	b.Contact.Pauses = slices.DeleteFunc(b.Contact.Pauses, func(p catalog.Pause) bool { return p.Same == "action" })
	for k := range b.Slots {
		b.Slots[k].Unasked = false
	}
	for k := range b.Actions {
		if a := &b.Actions[k]; a.About != "" && len(a.Weights) == 0 && len(a.Exemptions) == 0 {
			a.ExemptCaps, a.ExemptPressure, a.KeepArmed, a.At = false, false, 0, nil
			b.Actions = append(b.Actions, rivalOf(b, a))
			return
		}
	}
}

// rivalOf is an action like another, worth more, that nothing of its own takes away. Its name
// stands after all that authors can write.
func rivalOf(b *catalog.Bundle, a *catalog.Action) catalog.Action {
	x := *a
	x.Name, x.Value, x.Before = "~rival", a.Value+100*catalog.One, -1
	x.From, x.Until, x.Hours, x.Follows, x.Needs, x.Quality, x.Significant, x.Price = 0, sense.Never, nil, nil, nil, 0, false, nil
	words := func(t *catalog.Treatment) *catalog.Treatment {
		if t == nil {
			return nil
		}
		plain := &catalog.Treatment{Ambient: t.Ambient}
		for range b.Languages {
			plain.Text = append(plain.Text, catalog.Rendered{{Literal: "Hello.", Fact: -1, Input: -1, Derived: -1}})
		}
		return plain
	}
	x.Say, x.SayPersonal = words(a.Say), words(a.SayPersonal)
	return x
}
