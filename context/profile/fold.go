package profile

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// ErrNotOfProfile is returned by Fold for an event that says nothing about a customer.
var ErrNotOfProfile = errors.New("event says nothing about a customer's profile")

// Fold takes a fact, consent, objection, restriction or interaction into the
// slice. The newest `happened` wins, whatever the order of arrival; of equal
// ones the more careful: the stronger provenance, no over yes. A fact that was told is
// not replaced by one that was inferred, or told by others.
func (s *Slice) Fold(e *event.Event) error {
	switch b := e.Body.(type) {
	case *event.Fact:
		s.foldFact(b.Name, b.Owner, Claim{Value: b.Value, Provenance: b.Provenance, Source: e.Source, Happened: e.Happened})
	case *event.Consent:
		s.foldConsent(Consent{Purpose: b.Purpose, Granted: b.Granted, Ever: b.Granted, Text: b.Text, Expires: b.Expires, Happened: e.Happened})
	case *event.Objection:
		s.foldObjection(Objection{Purpose: b.Purpose, Raised: b.Raised, Happened: e.Happened})
	case *event.Restrict:
		s.foldRestrict(b.On, e.Happened)
	case *event.Interaction:
		s.foldInteraction(InteractionOf(e, b))
	default:
		return ErrNotOfProfile
	}
	return nil
}

// InteractionOf returns what an event tells of an interaction.
func InteractionOf(e *event.Event, b *event.Interaction) Interaction {
	return Interaction{Kind: b.Kind, About: b.About, Channel: b.Channel, Ref: b.Ref, Value: b.Value,
		Due: b.Due, Happened: e.Happened, Source: e.Source, ID: e.ID}
}

func (s *Slice) foldConsent(c Consent) {
	k, found := slices.BinarySearchFunc(s.Consents, c.Purpose, func(a Consent, p string) int { return strings.Compare(a.Purpose, p) })
	if !found {
		s.Consents = slices.Insert(s.Consents, k, c)
		return
	}
	old := s.Consents[k]
	if c.Happened > old.Happened || c.Happened == old.Happened && !c.Granted {
		c.Ever = c.Ever || old.Ever
		s.Consents[k] = c
		return
	}
	s.Consents[k].Ever = old.Ever || c.Ever
}

func (s *Slice) foldObjection(o Objection) {
	k, found := slices.BinarySearchFunc(s.Objections, o.Purpose, func(a Objection, p string) int { return strings.Compare(a.Purpose, p) })
	if !found {
		s.Objections = slices.Insert(s.Objections, k, o)
		return
	}
	if old := s.Objections[k]; o.Happened > old.Happened || o.Happened == old.Happened && o.Raised {
		s.Objections[k] = o
	}
}

func (s *Slice) foldRestrict(on bool, at sense.Instant) {
	if at > s.RestrictedAt || at == s.RestrictedAt && on {
		s.Restricted, s.RestrictedAt = on, at
	}
}

// sameInteraction says whether two interactions are one told twice.
func sameInteraction(a, b Interaction) bool {
	if a.ID != "" || b.ID != "" {
		return a.ID == b.ID && a.Source == b.Source
	}
	return false
}

func orderInteractions(a, b Interaction) int {
	return cmp.Or(cmp.Compare(a.Happened, b.Happened), strings.Compare(a.Kind, b.Kind),
		strings.Compare(string(a.About), string(b.About)), strings.Compare(a.Ref, b.Ref), strings.Compare(a.ID, b.ID))
}

func (s *Slice) foldInteraction(i Interaction) {
	for _, old := range s.Interactions {
		if sameInteraction(old, i) {
			return
		}
	}
	k, _ := slices.BinarySearchFunc(s.Interactions, i, orderInteractions)
	s.Interactions = slices.Insert(s.Interactions, k, i)
}

// AddExposure records a contact; one that is there already is left as it is.
func (s *Slice) AddExposure(x Exposure) {
	if s.Exposure(x.Decision) != nil {
		return
	}
	k, _ := slices.BinarySearchFunc(s.Exposures, x, orderExposures)
	s.Exposures = slices.Insert(s.Exposures, k, x)
}

func orderExposures(a, b Exposure) int {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Decision, b.Decision))
}

// RenameExposures lets rename give contacts the decisions that they now belong to.
func (s *Slice) RenameExposures(rename func(x *Exposure)) {
	for k := range s.Exposures {
		rename(&s.Exposures[k])
	}
	sort.Slice(s.Exposures, func(a, b int) bool { return orderExposures(s.Exposures[a], s.Exposures[b]) < 0 })
}

// Exposure returns the contact made by a decision, nil where there is none.
func (s *Slice) Exposure(decision string) *Exposure {
	for k := len(s.Exposures) - 1; k >= 0; k-- {
		if s.Exposures[k].Decision == decision {
			return &s.Exposures[k]
		}
	}
	return nil
}

// Answer records an outcome of a contact, and settles its reservation: shown at
// the outcome's instant unless it failed. The first word on a contact corrects what
// was only assumed of it; that it was shown, ignored or failed is told once. Nothing is answered before it is said:
// what was dated so, by a clock that is behind, counts from the decision on.
func (x *Exposure) Answer(outcome string, at sense.Instant) {
	at = max(at, x.At)
	first := len(x.Outcomes) == 0
	switch outcome {
	case "shown", "ignored", "failed":
		for _, o := range x.Outcomes {
			if o.Outcome == outcome {
				return
			}
		}
	}
	switch {
	case outcome == "failed":
		x.Failed = x.Failed || first
	case outcome == "shown" && first, x.Shown == 0:
		x.Shown = at
	}
	x.Outcomes = append(x.Outcomes, Outcome{Outcome: outcome, At: at})
}

// Final says whether the contact has an outcome that ends it: any but shown.
func (x *Exposure) Final() bool {
	for _, o := range x.Outcomes {
		if o.Outcome != "shown" {
			return true
		}
	}
	return false
}
