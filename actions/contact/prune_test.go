package contact

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// TestFoldedContactsCountForNothing: whatever a contact policy asks, now or later, it gets the same answer
// of contacts that were pruned as of all of them; and of hundreds that are alike few are left.
func TestFoldedContactsCountForNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	length := func() sense.Duration {
		return []sense.Duration{sense.Hour, 3 * sense.Day, 40 * sense.Day, sense.Forever}[r.IntN(4)]
	}
	actions := []catalog.Action{*offer("boat", "product:boat"), *offer("car", "product:car"), *offer("tip", "")}
	actions[2].Intent = catalog.Information
	actions[2].Repeat = 50 * sense.Day
	actions = append(actions, *offer("next", "product:next"))
	folded := 0
	for round := range 400 {
		actions[3].Follows = &catalog.Follow{Action: int32(1 + r.IntN(2)), ElseAfter: sense.Forever}
		b := &catalog.Bundle{Zone: amsterdam, Actions: actions,
			Slots: []catalog.Slot{{Name: "dash", Channel: "car", Unasked: true}, {Name: "home", Channel: "kiosk"}}}
		for range r.IntN(3) {
			l := limit(catalog.Calendar(r.IntN(4)), length(), 1+r.Int64N(4), pick("shown", "ignored", "dismissed"))
			l.About, l.Channel, l.Customer = r.IntN(2) == 0, pick("", "car"), r.IntN(2) == 0
			if r.IntN(3) > 0 {
				l.Action = int32(r.IntN(3))
				l.Intent = 0
			}
			b.Contact.Limits = append(b.Contact.Limits, l)
		}
		for range r.IntN(3) {
			b.Contact.Pauses = append(b.Contact.Pauses, catalog.Pause{Same: pick("about", "action", "customer", "channel"), After: pick("ignored", "dismissed", "later"), For: length()})
		}
		for range r.IntN(2) {
			b.Contact.Waits = append(b.Contact.Waits, catalog.Wait{Action: -1, Group: -1, Same: pick("", "action", "about", "channel"), For: length()})
		}
		if r.IntN(2) == 0 {
			b.Contact.Pressure = &catalog.Pressure{HalfLife: sense.Duration(1 + r.Int64N(int64(sense.Day))), Floor: -1 << 40,
				Amounts: []catalog.OutcomeCost{{Outcome: "dismissed", Amount: r.Int64N(1 << 40)}, {Outcome: "ignored", Amount: -r.Int64N(1 << 20)}}}
		}
		if r.IntN(2) == 0 {
			b.Strikes = &catalog.Strikes{In: 40 * sense.Day, At: []catalog.Strike{{Count: 2, Then: catalog.StrikeNoSales}}}
		}
		whole := &profile.Slice{}
		n, every := 2+r.IntN(600), sense.Duration(1+r.Int64N(int64(4*sense.Hour)))
		dark := r.IntN(4) == 0 // the screen failed at last
		for k := range n {
			a := &actions[[...]int{2, 2, 2, 2, 2, 2, 2, 0, 1}[r.IntN(9)]]
			x := profile.Exposure{Seq: 1, Decision: strconv.Itoa(k), Action: a.Name, Intent: a.Intent.String(), About: a.About, Channel: "car", Slot: "dash", At: ago(sense.Duration(n-k) * every)}
			fate := r.IntN(40)
			if dark && k > n/3 {
				fate = 0
			}
			switch fate {
			case 0:
				x.Answer("failed", x.At)
			case 1:
				x.Answer(pick("dismissed", "later", "never", "negative", "accepted"), x.At.Add(sense.Minute))
			case 2: // nothing was heard of it
			default:
				x.Answer("ignored", x.At.Add(sense.Minute))
			}
			whole.AddExposure(x)
		}
		pruned := &profile.Slice{}
		for _, x := range whole.Exposures {
			pruned.AddExposure(x)
		}
		whole.Interactions = []profile.Interaction{{Kind: "visit", Ref: strconv.Itoa(r.IntN(n)), Happened: ago(1)}}
		if r.IntN(2) == 0 {
			whole.Interactions[0] = profile.Interaction{Kind: "visit", About: "product:next", Happened: ago(sense.Duration(r.IntN(n)) * every)}
		}
		pruned.Interactions = whole.Interactions
		at := t0
		for range 4 {
			pruned.Prune(b, at)
			for k := range actions {
				a := &b.Actions[k]
				ask := func(s *profile.Slice) []any {
					v := &guard.View{Bundle: b, Now: at, Presence: guard.Here, Slice: s, Channel: "car", Clock: sense.ClockSynced, Slot: &b.Slots[0]}
					d, strikes := Judge(v, a, Unasked{}), [3]any{}
					strikes[0], strikes[1], strikes[2] = guard.Strikes(v)
					return []any{d, Bother(b, s, 0, at), s.Showings(a.Name), strikes, guard.Judge(v, guard.Candidate{Action: a})}
				}
				if all, left := ask(whole), ask(pruned); !reflect.DeepEqual(all, left) {
					t.Fatalf("round %d, %d of %d contacts, %s at %s:\n%+v\nnot\n%+v\nof %+v", round, len(pruned.Exposures), n, a.Name, at, left, all, b.Contact)
				}
			}
			at = at.Add(sense.Duration(r.Int64N(int64(30 * sense.Day))))
		}
		folded += len(whole.Exposures) - len(pruned.Exposures)
	}
	if folded < 40_000 {
		t.Errorf("only %d contacts were folded away", folded)
	}
}
