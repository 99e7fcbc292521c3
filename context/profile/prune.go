package profile

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// Prune drops what is past its retention, and contacts older than the oldest
// that a contact policy may count; it returns whether anything went and when
// something is next to go.
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

// pruneExposures drops contacts that no limit, pause, wait, repetition, strike or pressure can count any more.
func (s *Slice) pruneExposures(b *catalog.Bundle, now sense.Instant, next *sense.Instant) (changed bool) {
	horizon := contactHorizon(b)
	lasting := s.lasting(b)
	kept := s.Exposures[:0]
	for n, x := range s.Exposures {
		last := max(x.At, x.Shown)
		for _, o := range x.Outcomes {
			last = max(last, o.At)
		}
		end := last.Add(horizon)
		if now >= end && !lasting[n] {
			changed = true
			continue
		}
		if !lasting[n] {
			until(next, end, now)
		}
		kept = append(kept, x)
	}
	clear(s.Exposures[len(kept):])
	s.Exposures = kept
	return changed
}

// lasting says which contacts outlive every window: an answer of never, and one that a policy keeps
// for ever; the last time that a question was asked, and that something was shown which another
// action follows; and the last answer, by which it is known that the customer sleeps.
func (s *Slice) lasting(b *catalog.Bundle) []bool {
	stays := make([]bool, len(s.Exposures))
	recalled := make(map[string]bool) // actions whose last showing is kept, and was not come to yet
	for k := range b.Actions {
		a := &b.Actions[k]
		if a.Intent == catalog.Question {
			recalled[a.Name] = true
		}
		if a.Follows != nil {
			recalled[b.Actions[a.Follows.Action].Name] = true
		}
	}
	lastAnswer, answeredAt := -1, sense.Instant(0)
	for n := len(s.Exposures) - 1; n >= 0; n-- {
		x := &s.Exposures[n]
		if recalled[x.Action] && !x.Failed {
			recalled[x.Action], stays[n] = false, true
		}
		for _, o := range x.Outcomes {
			stays[n] = stays[n] || o.Outcome == "never"
			for _, p := range b.Contact.Pauses {
				stays[n] = stays[n] || p.After == o.Outcome && p.For == sense.Forever
			}
			if answered(o.Outcome) && (lastAnswer < 0 || o.At > answeredAt) {
				lastAnswer, answeredAt = n, o.At
			}
		}
	}
	if lastAnswer >= 0 && b.Sleeping != sense.Forever && b.Sleeping != 0 {
		stays[lastAnswer] = true
	}
	return stays
}

// contactHorizon returns for how long a contact can matter: at least a calendar month of 31 days
// and a day for zones, at most what the longest window, pause, wait, repetition, count of strikes or
// forty half-lives of pressure ask.
func contactHorizon(b *catalog.Bundle) sense.Duration {
	horizon := 32 * sense.Day
	longer := func(d sense.Duration) {
		if d != sense.Forever {
			horizon = max(horizon, d)
		}
	}
	for _, l := range b.Contact.Limits {
		longer(l.Window)
	}
	for _, p := range b.Contact.Pauses {
		longer(p.For)
	}
	for _, w := range b.Contact.Waits {
		longer(w.For)
	}
	if p := b.Contact.Pressure; p != nil && p.HalfLife < sense.Forever/40 {
		longer(40 * p.HalfLife)
	}
	if b.Strikes != nil {
		longer(b.Strikes.In)
	}
	for k := range b.Actions {
		longer(b.Actions[k].Repeat)
		if f := b.Actions[k].Follows; f != nil {
			longer(f.ElseAfter)
		}
	}
	return horizon
}
