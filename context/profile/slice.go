package profile

import (
	"strings"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Slice is what a device may know of one customer: the facts, consents and
// interactions that its policy uses, and what was said to the customer before.
type Slice struct {
	Customer     string
	Facts        []Fact      // in order of Name, Owner; one each
	Consents     []Consent   // in order of Purpose; one each
	Objections   []Objection // in order of Purpose; one each
	Restricted   bool
	RestrictedAt sense.Instant
	Interactions []Interaction // in order of Happened, then of arrival
	Exposures    []Exposure    // in order of At
	Folded       []Folded      // of contacts that are not kept any more; in order of Action
	// Owned holds facts of vehicles, households and sites, kept apart from any customer's; nil where there are none.
	Owned *Slice
}

// Fact is one attribute with where it came from. What holds is the newest that was declared or
// observed, else the newest of all; Held says what holds once that is not fresh any more.
type Fact struct {
	Name       string
	Owner      string // id of the owner; empty for the customer's own
	Value      sense.Value
	Provenance event.Provenance
	Source     string
	Happened   sense.Instant
	// Claims are what else was said of it, newest first, at most MostClaims: of each source the last
	// word, what it told and what it inferred apart.
	Claims []Claim
}

// Consent is the last word for a purpose.
type Consent struct {
	Purpose  string
	Granted  bool
	Ever     bool // granted at some time
	Text     string
	Expires  sense.Instant
	Happened sense.Instant
}

// Objection is the last word against a purpose.
type Objection struct {
	Purpose  string
	Raised   bool
	Happened sense.Instant
}

// Interaction is what happened, in any channel.
type Interaction struct {
	Kind     string
	About    event.Subject
	Channel  string
	Ref      string
	Value    sense.Value
	Due      sense.Instant // Never where none
	Happened sense.Instant
	Source   string
	ID       string
}

// Exposure is one contact: a decision that was shown, and what came of it.
type Exposure struct {
	Decision string
	Action   string
	Intent   string
	Group    string
	About    event.Subject
	Channel  string
	Slot     string
	At       sense.Instant // of the decision
	Shown    sense.Instant // 0 until it was shown
	Failed   bool
	Outcomes []Outcome // in order of At
	Seq      uint64    // number of its record in this device's log; 0 where another device made it
}

// Folded is how often an action was shown in contacts that nothing else looks at any more.
type Folded struct {
	Action string
	Times  int64
}

// Outcome is one answer.
type Outcome struct {
	Outcome string
	At      sense.Instant
}

// Find returns the fact of that name held for the customer (owner empty) or for an owner.
func (s *Slice) Find(name, owner string) (*Fact, bool) {
	low, high := 0, len(s.Facts)
	for low < high {
		k := int(uint(low+high) >> 1)
		c := strings.Compare(s.Facts[k].Name, name)
		if c == 0 {
			c = strings.Compare(s.Facts[k].Owner, owner)
		}
		switch {
		case c == 0:
			return &s.Facts[k], true
		case c < 0:
			low = k + 1
		default:
			high = k
		}
	}
	return nil, false
}
