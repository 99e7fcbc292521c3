package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Presence says whether there is a customer, and the slice.
type Presence uint8

const (
	Nobody  Presence = iota // nobody is identified
	Awaited                 // somebody is, and the slice is not here (yet, or its lease has ended)
	Here                    // the slice is here, under lease
)

// View is all that guards look at.
type View struct {
	Bundle *catalog.Bundle
	Now    sense.Instant

	Presence   Presence
	Slice      *profile.Slice // nil unless Here
	Heard      *profile.Slice // while Awaited, what was said to and by the customer on this device: it only ever holds back
	Customer   string
	Person     string // the hub's id of the customer, so that every device hashes alike; else Customer
	Owners     []event.Owner
	Zone       *sense.Zone    // the customer's, where it is known; nil for the policy's
	ProfileAge sense.Duration // time since the slice was last known to be current; 0 while it is
	LeaseEnded bool           // Awaited, because the lease ran out
	Erased     bool           // this customer was erased here

	By     event.By
	Shared bool // an identity that several people use

	Slot      *catalog.Slot // nil where another channel asks
	Channel   string
	Asked     bool
	AskIntent catalog.Intent // what the customer came for; 0 where not said
	AskAbout  event.Subject
	HisGoal   bool   // the customer came for service or information and is not answered yet
	Delivery  string // how what is asked for is to be delivered; empty where not said

	VisitSince sense.Instant   // when the visit began
	Requests   []event.Subject // what the customer asked about herself in this visit
	Questioned sense.Instant   // when a question was last shown in this visit; 0 where none was
	Retry      bool            // the answer to it could not be used, and it was not asked again yet
	// Standing is the decision that is on the screen, where it is judged again; its own contact does not
	// count against it. Empty where a candidate is judged.
	Standing string
	// Spent says per Contact.Volume when contacts that fall under it were shown, oldest first.
	Spent [][]sense.Instant

	// Budgets are the shares of what limits still allow that the hub has leased for the customer; nil where
	// no hub leases: then limits rest on what is known of contacts alone.
	Budgets *profile.Budgets

	Clock sense.ClockState
	// State gives the truth of the bundle's state number k, and the readings it rests on; nil: no state is known.
	State func(k int) (rule.Truth, []catalog.Because)

	// Waived says which reasons of the stages quiet, guard and contact do not hold back, for asking what would
	// have to be different; nil where nobody asks: then none is.
	Waived func(catalog.Reason) bool

	// Room is memory for what verdicts say; nil: it is allocated for each.
	Room *Room
}

// Holds says whether a verdict holds back: it refuses, for a reason that is not waived.
func (v *View) Holds(d Verdict) bool {
	return !d.OK() && (v.Waived == nil || !v.Waived(d.Reason))
}

// Words are where refusals are found: in the slice, else in what was heard here while it is awaited. Nil
// where there is neither.
func (v *View) Words() *profile.Slice {
	if v.Slice != nil || v.Presence != Awaited {
		return v.Slice
	}
	return v.Heard
}

// Candidate is an action in one of its treatments.
type Candidate struct {
	Action   *catalog.Action
	Ambient  bool // nothing about anybody is read or said
	Personal bool // said in the words for one person (say_personal)
}

// Verdict is why a candidate falls; the zero Verdict lets it pass.
type Verdict struct {
	Reason  catalog.Reason
	Because []catalog.Because
	Until   sense.Instant // when time alone may lift it; 0 or Never where it does not
}

// OK says whether the candidate passes.
func (v Verdict) OK() bool { return v.Reason == catalog.NoReason }

func (v *View) refuse(r catalog.Reason, because ...catalog.Because) Verdict {
	return Verdict{Reason: r, Because: v.Room.Because(because...)}
}

func named(name string) catalog.Because { return catalog.Because{Name: name, Age: catalog.NoAge} }

// dated names an interaction by its kind, its date in the policy's zone and its age.
func (v *View) dated(i *profile.Interaction) catalog.Because {
	return catalog.Because{Name: i.Kind, Value: sense.DateValue(v.Bundle.Zone.Day(i.Happened)), Age: v.Now.Sub(i.Happened)}
}

// rules are the guards in the order of their reason codes.
var rules = [...]func(*View, Candidate) Verdict{
	alreadyBought,
	alreadyBooked,
	goalReached,
	openComplaint,
	complaintCoolOff,
	alreadyKnown,
	oneQuestionAVisit,
	notNeeded,
	hisGoalFirst,
	threeStrikes,
	passiveSighting,
	unaskedWithoutOptIn,
	weakIdentity,
	sharedIdentity,
	notAlone,
	sensitiveSubject,
	notTold,
	behaviourElsewhere,
	outsidePreference,
	staleProfile,
	leaseEnded,
	sleepingCustomer,
	qualityTooLow,
	controlGroup,
	waitingForResponse,
	conversationOpenElsewhere,
	significantNeedsPerson,
}

// Judge passes a candidate through the stage guard and returns the first refusal.
func Judge(v *View, c Candidate) Verdict {
	for _, rule := range rules {
		if d := rule(v, c); v.Holds(d) {
			return d
		}
	}
	return Verdict{}
}

// each calls f for every interaction of a kind that is wanted, is within its kind's retention and
// has taken place; kind by kind, each in order of time.
func (v *View) each(want func(k *catalog.Kind) bool, f func(k *catalog.Kind, i *profile.Interaction)) {
	if v.Slice == nil {
		return
	}
	for m := range v.Bundle.Kinds {
		k := &v.Bundle.Kinds[m]
		if !want(k) {
			continue
		}
		for n := range v.Slice.Interactions {
			if i := &v.Slice.Interactions[n]; i.Kind == k.Name && i.Happened <= v.Now && v.Now < i.Happened.Add(k.Keep) {
				f(k, i)
			}
		}
	}
}

// counts says whether a contact was made by now, and is not the one that is being judged again.
func (v *View) counts(x *profile.Exposure) bool {
	return !x.Failed && x.At <= v.Now && (v.Standing == "" || x.Decision != v.Standing)
}

// told says whether a fact was told by the customer, or seen by the company itself: what was inferred
// or comes from others decides nothing.
func told(p event.Provenance) bool { return p == event.Declared || p == event.Observed }

// askedFor says whether the candidate is what the customer asks for herself, by its subject.
func (v *View) askedFor(a *catalog.Action) bool {
	return v.Asked && a.About != "" && v.AskAbout.Touches(a.About)
}
