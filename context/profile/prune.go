package profile

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Prune drops what is past its retention, and folds away contacts that the policy cannot count any
// more; it returns whether anything went and when something is next to go.
func (s *Slice) Prune(b *catalog.Bundle, now sense.Instant) (changed bool, next sense.Instant) {
	next = sense.Never
	facts := s.Facts[:0]
	for _, f := range s.Facts {
		if d := b.Fact(f.Name); d != nil {
			gone, left := f.pruneClaims(d, now, &next)
			changed = changed || gone
			if !left {
				continue
			}
		}
		facts = append(facts, f)
	}
	clear(s.Facts[len(facts):])
	s.Facts = facts
	kept := s.Interactions[:0]
	for _, i := range s.Interactions {
		if k := b.Kind(i.Kind); k != nil && gone(k, &i, now, &next) {
			changed = true
			continue
		}
		kept = append(kept, i)
	}
	s.Interactions = kept
	if s.pruneExposures(b, now, &next) {
		changed = true
	}
	return changed, next
}

const (
	// answerable is for how long a contact is kept though nothing counts it: an answer may come late.
	answerable = 32 * sense.Day
	// mostAlike is how many contacts that are alike are kept for that; of older ones no answer is awaited
	// any more, once they have had one.
	mostAlike = 256
)

// kindOfContact is in what two contacts are alike: whatever counts only the latest looks at one of them.
type kindOfContact struct {
	action, intent, group, channel, slot string
	about                                event.Subject
}

// pruneExposures folds away contacts that no limit, pause, wait, repetition, strike or pressure can
// count any more; of those, how often each action was shown is kept.
func (s *Slice) pruneExposures(b *catalog.Bundle, now sense.Instant, next *sense.Instant) (changed bool) {
	lasting, recent, latest := s.lasting(b), latestHorizon(b), map[kindOfContact][2]int{}
	ends := make([]sense.Instant, len(s.Exposures)) // when each goes
	for n := len(s.Exposures) - 1; n >= 0; n-- {
		x := &s.Exposures[n]
		kind := kindOfContact{x.Action, x.Intent, x.Group, x.Channel, x.Slot, x.About}
		later := latest[kind] // how many, and how many that did not fail
		last := max(x.At, x.Shown)
		ends[n] = x.counts(b)
		switch {
		case lasting[n]:
			ends[n] = sense.Never
		case later[0] < mostAlike || !x.Final():
			ends[n] = max(ends[n], x.lastWord().Add(answerable), last.Add(recent))
		case later[1] == 0:
			ends[n] = max(ends[n], last.Add(recent))
		default:
			// A visit is pieced together from contacts; and what goes goes together, once an hour.
			hour := sense.Instant(sense.Hour)
			ends[n] = max(ends[n], (last - last%hour + hour).Add(sense.Day))
		}
		if later[0]++; !x.Failed {
			later[1]++
		}
		latest[kind] = later
	}
	kept := s.Exposures[:0]
	for n, x := range s.Exposures {
		if now >= ends[n] {
			s.foldExposure(&x)
			changed = true
			continue
		}
		until(next, ends[n], now)
		kept = append(kept, x)
	}
	clear(s.Exposures[len(kept):])
	s.Exposures = kept
	return changed
}

// foldExposure keeps of a contact of this device only that there was one. Of another's nothing is kept, nor of one
// that was folded away and came back from the hub: it would count again each time that it comes.
func (s *Slice) foldExposure(x *Exposure) {
	if !x.Failed && x.Seq != 0 {
		s.addFolded(Folded{Action: x.Action, Times: 1})
	}
}

func (s *Slice) addFolded(f Folded) {
	k, found := slices.BinarySearchFunc(s.Folded, f.Action, func(f Folded, action string) int { return strings.Compare(f.Action, action) })
	if found {
		s.Folded[k].Times += f.Times
		return
	}
	s.Folded = slices.Insert(s.Folded, k, f)
}

// Showings returns how often an action was shown to the customer.
func (s *Slice) Showings(action string) (n int64) {
	for k := range s.Folded {
		if s.Folded[k].Action == action {
			n = s.Folded[k].Times
		}
	}
	for k := range s.Exposures {
		if x := &s.Exposures[k]; x.Action == action && !x.Failed {
			n++
		}
	}
	return n
}

// lasting says which contacts outlive every window: an answer of never, and one that a policy keeps
// for ever; the last time that a question was asked; of what another action follows the first and the last
// showing and those by which it was responded to; and the last answer, by which it is known that the customer sleeps.
func (s *Slice) lasting(b *catalog.Bundle) []bool {
	stays := make([]bool, len(s.Exposures))
	recalled := make(map[string]bool) // actions whose last showing is kept, and was not come to yet
	followed := make(map[string]*[2]int)
	for k := range b.Actions {
		a := &b.Actions[k]
		if a.Intent == catalog.Question {
			recalled[a.Name] = true
		}
		if a.Follows != nil {
			recalled[b.Actions[a.Follows.Action].Name] = true
			followed[b.Actions[a.Follows.Action].Name] = &[2]int{-1, -1} // its first showing, its last response
		}
	}
	lastAnswer, answeredAt := -1, sense.Instant(0)
	for n := len(s.Exposures) - 1; n >= 0; n-- {
		x := &s.Exposures[n]
		if recalled[x.Action] && !x.Failed {
			recalled[x.Action], stays[n] = false, true
		}
		f := followed[x.Action]
		if f != nil && !x.Failed {
			f[0] = n
			stays[n] = stays[n] || slices.ContainsFunc(s.Interactions, func(i Interaction) bool { return i.Ref != "" && i.Ref == x.Decision })
		}
		for _, o := range x.Outcomes {
			stays[n] = stays[n] || o.Outcome == "never"
			for _, p := range b.Contact.Pauses {
				stays[n] = stays[n] || p.After == o.Outcome && p.For == sense.Forever
			}
			if answered(o.Outcome) && (lastAnswer < 0 || o.At > answeredAt) {
				lastAnswer, answeredAt = n, o.At
			}
			if f != nil && !x.Failed && f[1] < 0 && answered(o.Outcome) && o.Outcome != "abandoned" {
				f[1] = n
			}
		}
	}
	for _, f := range followed { // order: each sets places of its own
		for _, n := range f {
			if n >= 0 {
				stays[n] = true
			}
		}
	}
	if lastAnswer >= 0 && b.Sleeping != sense.Forever && b.Sleeping != 0 {
		stays[lastAnswer] = true
	}
	return stays
}

// lastWord returns when anything was last heard of a contact.
func (x *Exposure) lastWord() sense.Instant {
	last := max(x.At, x.Shown)
	for _, o := range x.Outcomes {
		last = max(last, o.At)
	}
	return last
}

// counts returns until when a limit, pause, strike or pressure counts a contact.
func (x *Exposure) counts(b *catalog.Bundle) (end sense.Instant) {
	at := x.At
	if x.Shown != 0 {
		at = x.Shown
	}
	for k := range b.Contact.Limits {
		l := &b.Contact.Limits[k]
		switch {
		case l.Intent != 0 && l.Intent.String() != x.Intent, l.Action >= 0 && b.Actions[l.Action].Name != x.Action,
			l.Group >= 0 && b.Groups[l.Group].Name != x.Group, l.Channel != "" && l.Channel != x.Channel:
			continue
		case l.Counting == "shown" && !x.Failed:
			end = max(end, at.Add(windowOf(l)))
		}
		for _, o := range x.Outcomes {
			if o.Outcome == l.Counting {
				end = max(end, o.At.Add(windowOf(l)))
			}
		}
	}
	for _, o := range x.Outcomes {
		for _, p := range b.Contact.Pauses {
			if p.After == o.Outcome {
				end = max(end, o.At.Add(p.For))
			}
		}
		if b.Strikes != nil && o.Outcome == "negative" {
			end = max(end, o.At.Add(b.Strikes.In))
		}
		if p := b.Contact.Pressure; p != nil {
			for k := range p.Amounts {
				if p.Amounts[k].Outcome == o.Outcome {
					end = max(end, o.At.Add(gonePressure(p.Amounts[k].Amount, p.HalfLife)))
				}
			}
		}
	}
	return end
}

// windowOf returns how long a limit counts at most: its window, or its calendar period with an hour that
// a clock may be set back, and a day for a customer who moves to another zone.
func windowOf(l *catalog.Limit) sense.Duration {
	switch l.Per {
	case catalog.CalendarDay:
		return 3 * sense.Day
	case catalog.CalendarWeek:
		return 9 * sense.Day
	case catalog.CalendarMonth:
		return 33 * sense.Day
	}
	return l.Window
}

// gonePressure returns after how long nothing is left of a pressure: it halves until it is less than any
// part of a micro-unit, at least a 2^-16, in which it is added up.
func gonePressure(amount catalog.Micro, half sense.Duration) sense.Duration {
	n := sense.Duration(bits.Len64(uint64(max(amount, -amount))) + 16)
	if half > 0 && n > sense.Forever/half {
		return sense.Forever
	}
	return n * half
}

// latestHorizon returns for how long a wait, a repetition or what follows looks back; each looks at the
// latest contact of a kind only.
func latestHorizon(b *catalog.Bundle) (horizon sense.Duration) {
	for _, w := range b.Contact.Waits {
		horizon = max(horizon, w.For)
	}
	for k := range b.Actions {
		if r := b.Actions[k].Repeat; r != sense.Forever {
			horizon = max(horizon, r)
		}
		if f := b.Actions[k].Follows; f != nil && f.ElseAfter != sense.Forever {
			horizon = max(horizon, f.ElseAfter)
		}
	}
	return horizon
}
