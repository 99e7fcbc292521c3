package profile

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// answers says whether j, later than i, speaks of the same matter: by ref where
// both have one, else by subject, which covers what lies below it: to bring back the mats
// does not bring back the car. A j that names neither speaks of what names neither.
func answers(j, i *Interaction) bool {
	if j.Happened < i.Happened {
		return false
	}
	if i.Ref != "" && j.Ref != "" {
		return i.Ref == j.Ref
	}
	if i.About != "" && j.About != "" {
		return j.About.Covers(i.About)
	}
	return i.Ref == j.Ref && j.About == ""
}

// until narrows next to t where t lies ahead.
func until(next *sense.Instant, t, now sense.Instant) {
	if t > now && t < *next {
		*next = t
	}
}

// gone says whether an interaction is past its retention.
func gone(k *catalog.Kind, i *Interaction, now sense.Instant, next *sense.Instant) bool {
	end := i.Happened.Add(k.Keep)
	until(next, end, now)
	return now >= end
}

// Undone says whether an interaction of kind k was taken back by now.
func (s *Slice) Undone(b *catalog.Bundle, k *catalog.Kind, i *Interaction, now sense.Instant) (undone bool, next sense.Instant) {
	next = sense.Never
	for n := range k.Undo {
		u := &k.Undo[n]
		name := b.Kinds[u.Kind].Name
		for m := range s.Interactions {
			j := &s.Interactions[m]
			if j.Kind != name || !answers(j, i) {
				continue
			}
			from := j.Happened.Add(u.After)
			until(&next, from, now)
			undone = undone || now >= from
		}
	}
	return undone, next
}

// Did says whether something of that meaning about the subject (any where empty)
// happened within (now-window, now], and was not undone.
func (s *Slice) Did(b *catalog.Bundle, m catalog.Means, about event.Subject, window sense.Duration, now sense.Instant) (yes bool, next sense.Instant) {
	next = sense.Never
	for n := range s.Interactions {
		i := &s.Interactions[n]
		k := b.Kind(i.Kind)
		if k == nil || k.Means != m || about != "" && !about.Touches(i.About) || gone(k, i, now, &next) {
			continue
		}
		if i.Happened > now {
			until(&next, i.Happened, now)
			continue
		}
		end := i.Happened.Add(window)
		until(&next, end, now)
		undone, turn := s.Undone(b, k, i, now)
		until(&next, turn, now)
		yes = yes || now < end && !undone
	}
	return yes, next
}

// Closed returns when an interaction of an open_until kind was closed, and whether it was.
func (s *Slice) Closed(b *catalog.Bundle, k *catalog.Kind, i *Interaction) (at sense.Instant, closed bool) {
	return s.firstAnswer(b, k.OpenUntil, i)
}

func (s *Slice) firstAnswer(b *catalog.Bundle, kind int32, i *Interaction) (sense.Instant, bool) {
	if kind < 0 {
		return 0, false
	}
	name := b.Kinds[kind].Name
	for n := range s.Interactions {
		if j := &s.Interactions[n]; j.Kind == name && answers(j, i) {
			return j.Happened, true
		}
	}
	return 0, false
}

// Open says whether an interaction of kind number k is open: neither what it is open until nor
// what settles it has come.
func (s *Slice) Open(b *catalog.Bundle, k int32, now sense.Instant) (yes bool, next sense.Instant) {
	next = sense.Never
	d := &b.Kinds[k]
	for n := range s.Interactions {
		i := &s.Interactions[n]
		if i.Kind != d.Name || gone(d, i, now, &next) {
			continue
		}
		_, closed := s.Closed(b, d, i)
		_, settled := s.firstAnswer(b, d.ClosedBy, i)
		yes = yes || !closed && !settled
	}
	return yes, next
}

// Overdue says whether an interaction of kind number k is past its due instant, or past
// the kind's overdue_after where it has none, and not settled.
func (s *Slice) Overdue(b *catalog.Bundle, k int32, now sense.Instant) (yes bool, next sense.Instant) {
	next = sense.Never
	d := &b.Kinds[k]
	for n := range s.Interactions {
		i := &s.Interactions[n]
		if i.Kind != d.Name || gone(d, i, now, &next) {
			continue
		}
		if _, settled := s.firstAnswer(b, d.ClosedBy, i); settled {
			continue
		}
		from := i.Due
		if from == sense.Never {
			from = i.Happened.Add(d.Overdue)
		}
		until(&next, from, now)
		yes = yes || now >= from
	}
	return yes, next
}

// DueOf returns the earliest due instant that lies ahead, or else the latest that has passed, of
// kind number k about the subject (any where empty), not undone.
func (s *Slice) DueOf(b *catalog.Bundle, k int32, about event.Subject, now sense.Instant) (due sense.Instant, ok bool, next sense.Instant) {
	next = sense.Never
	d := &b.Kinds[k]
	for n := range s.Interactions {
		i := &s.Interactions[n]
		if i.Kind != d.Name || i.Due == sense.Never || about != "" && !about.Touches(i.About) || gone(d, i, now, &next) {
			continue
		}
		undone, turn := s.Undone(b, d, i, now)
		until(&next, turn, now)
		if undone {
			continue
		}
		until(&next, i.Due, now)
		ahead, had := i.Due > now, ok && due > now
		switch {
		case !ok, ahead && !had, ahead && had && i.Due < due, !ahead && !had && i.Due > due:
			due, ok = i.Due, true
		}
	}
	return due, ok, next
}

// ConsentState is the last word about a purpose, at an instant.
type ConsentState uint8

const (
	ConsentUnknown   ConsentState = iota // no line ever
	ConsentGranted                       // last line true and not expired
	ConsentDenied                        // last line false, never granted
	ConsentWithdrawn                     // granted, then false
	ConsentExpired
)

// Consent returns the state of consent for a purpose, and when time alone changes it.
func (s *Slice) Consent(purpose string, now sense.Instant) (state ConsentState, next sense.Instant) {
	for k := range s.Consents {
		c := &s.Consents[k]
		switch {
		case c.Purpose != purpose:
		case !c.Granted && c.Ever:
			return ConsentWithdrawn, sense.Never
		case !c.Granted:
			return ConsentDenied, sense.Never
		case now >= c.Expires:
			return ConsentExpired, sense.Never
		default:
			return ConsentGranted, c.Expires
		}
	}
	return ConsentUnknown, sense.Never
}

// Objects says whether the customer's last word is an objection to the purpose.
func (s *Slice) Objects(purpose string) bool {
	for k := range s.Objections {
		if s.Objections[k].Purpose == purpose {
			return s.Objections[k].Raised
		}
	}
	return false
}
