package catalog

import (
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Micro is an amount of money in millionths of the policy's currency, or a
// probability in millionths.
type Micro = int64

// One is 1.000000 in millionths.
const One Micro = 1_000_000

// Text is one text per language, in the order of Bundle.Languages; empty where
// the author gave none.
type Text []string

// Bundle is a compiled policy. Slices of named things are in order of name.
type Bundle struct {
	Name      string
	Version   int64
	Currency  string
	Languages []string // the first is the one used when nothing else is known
	Zone      sense.Zone

	VisitEnds  sense.Duration // pause after which a visit has ended
	SessionEnd *SessionEnd    // nil where the policy says nothing

	Purposes []Purpose // at most 64, so that a set of them is a bit mask
	Partners []Partner
	Signals  []Signal
	Derived  []Derived
	Facts    []Fact
	Kinds    []Kind
	Subjects []SubjectInfo
	Places   []Place
	States   []State
	Measures []Measure
	Slots    []Slot
	Groups   []Group
	Actions  []Action

	Program rule.Program
	Contact Contact
	Quiet   Quiet
}

// SessionEnd says when whoever is on the screen has gone.
type SessionEnd struct {
	Ends   rule.Node // None where only AtMost is given
	After  sense.Duration
	AtMost sense.Duration // Forever where not given
}

// Basis is the legal basis of a purpose (GDPR art. 6).
type Basis uint8

const (
	BasisConsent Basis = iota + 1
	BasisContract
	BasisLegalObligation
	BasisVitalInterest
	BasisPublicTask
	BasisLegitimateInterest
)

var basisNames = [...]string{"", "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest"}

func (b Basis) String() string { return basisNames[b] }

// ParseBasis reads the name of a legal basis.
func ParseBasis(s string) (Basis, bool) {
	for k, n := range basisNames {
		if k > 0 && n == s {
			return Basis(k), true
		}
	}
	return 0, false
}

// NeedsGrant says whether the basis holds only while consent is granted.
func (b Basis) NeedsGrant() bool { return b == BasisConsent }

// YieldsToObjection says whether an objection stops the purpose.
func (b Basis) YieldsToObjection() bool {
	return b == BasisLegitimateInterest || b == BasisPublicTask
}

// HoldsUnderRestriction says whether the purpose goes on for a restricted customer.
func (b Basis) HoldsUnderRestriction() bool {
	return b == BasisVitalInterest || b == BasisLegalObligation
}

// Purpose is why data may be used. A purpose with `unasked: separate_consent`
// is followed in the list by the purpose NAME.unasked, whose index is Unasked.
type Purpose struct {
	Name     string
	Basis    Basis
	Explicit bool  // consent must be explicit, with the text version
	Unasked  int32 // index of the purpose that unasked showings need as well; -1 where none
	For      Text
}

// Partner is somebody else who gets something, for a purpose.
type Partner struct {
	Name    string
	Purpose int32
	For     Text
}

// PurposeSet is a set of purposes as bits.
type PurposeSet uint64

// Has says whether purpose p is in the set.
func (s PurposeSet) Has(p int32) bool { return p >= 0 && s>>uint(p)&1 == 1 }

// Signal is what a device can sense.
type Signal struct {
	Name     string
	Kind     sense.Kind
	Unit     string
	MaxAge   sense.Duration // a reading is stale when its age is greater; Forever where not given
	Scope    rule.Scope
	Purposes PurposeSet
	Consent  int32 // index of the purpose without whose grant it is not read; -1 where none
	Why      Text
	Leaves   bool // may leave the device
	FromHub  bool
	Input    int32 // its FromSignal input in Program; -1 where no condition reads it
}

// Derived is a named value computed from signals over time.
type Derived struct {
	Name     string
	Node     rule.Node
	Kind     sense.Kind
	Purposes PurposeSet
	Personal bool // reads something about a person
	Leaves   bool
}

// Fact is one declared attribute of a customer or an owner.
type Fact struct {
	Name       string
	Kind       sense.Kind
	Elem       sense.Kind // of a list, else Null
	Owner      string     // "vehicle", "household", "site"; empty for the customer
	OneOf      []string
	Purposes   PurposeSet
	From       []event.Provenance // allowed; empty for all
	Keep       sense.Duration
	Fresh      sense.Duration // Forever where not given
	Special    string         // special category, empty where none
	Preference bool
	Leaves     bool
}

// Means says which history function a kind of interaction feeds.
type Means uint8

const (
	MeansNothing Means = iota
	MeansBought
	MeansBooked
	MeansAsked
	MeansAnswered
	MeansComplained
	MeansContacted
	MeansViewed
)

// Kind is a kind of interaction.
type Kind struct {
	Name     string
	Keep     sense.Duration
	Purposes PurposeSet
	Means    Means
	Negative bool
	// BlocksOffers: an offer of the same subject, or of another of the same kind, is held back; Again
	// gives per type of subject the time after which it may be offered again (Forever where not named).
	BlocksOffers bool
	SameKind     bool
	Again        []AgainAfter
	// Undo names the kinds that take one of this kind back, with the delay after which what it ended reopens.
	Undo        []UndoneBy
	ReachesGoal bool
	OpenUntil   int32          // index of the kind that closes it (by ref, else by about); -1 where none
	CoolOff     sense.Duration // sales stay held for so long after the close
	ClosedBy    int32          // index of the kind that settles it; -1 where none
	Overdue     sense.Duration // overdue so long after it happened, or at its due instant, unless settled
	Worth       Micro
}

// AgainAfter says after what time something of a type may be offered again.
type AgainAfter struct {
	Type  string
	After sense.Duration
}

// UndoneBy names a kind that takes another back, after a delay.
type UndoneBy struct {
	Kind  int32
	After sense.Duration
}

// SubjectInfo is what the policy says of a subject.
type SubjectInfo struct {
	Name      string // id without type, as declared
	Kind      string // the id of the kind it belongs to, empty where none
	Sensitive string // empty where not
}

// Place is a named area.
type Place struct {
	Name string
	Area place.Area
}

// State names that the quiet stage and the guards are bound to.
const (
	StateDriving      = "driving"
	StateInCall       = "in_call"
	StateDoNotDisturb = "do_not_disturb"
	StateAlarm        = "alarm"
	StateBusy         = "busy"
	StateAlone        = "alone"
)

// State is a state of attention.
type State struct {
	Name     string
	Channels []string // empty for all
	Node     rule.Node
	Inputs   []int32 // signals it reads, by index into Signals
	// AbsentAllow: where a signal it reads is absent on the device, the state is false instead of unknown.
	AbsentAllow bool
}

// Measure is what tells whether an action works, with its control group.
type Measure struct {
	Name    string
	From    int32 // kind of interaction
	Control Micro // share that is held out, in millionths
}

// Slot is where an action can appear.
type Slot struct {
	Name          string
	Channel       string
	SharedScreen  bool
	Unasked       bool
	ShowFor       sense.Duration
	Fallback      int32 // index of an action; -1 where none
	Minimum       Micro // least expected value
	LeastIdentity event.By
}

// Group is what actions have in common.
type Group struct {
	Name       string
	Issue      string
	Lever      Micro // factor in millionths: 10 % is 1,100,000
	Eligible   rule.Node
	Applicable rule.Node
	Suitable   rule.Node
}

// Intent says what an action is for.
type Intent uint8

const (
	Sales Intent = iota + 1
	Service
	Information
	Question
	Safety
	Recovery
	Handoff
	Entertainment
)

var intentNames = [...]string{"", "sales", "service", "information", "question", "safety", "recovery", "handoff", "entertainment"}

func (i Intent) String() string { return intentNames[i] }

// ParseIntent reads the name of an intent.
func ParseIntent(s string) (Intent, bool) {
	for k, n := range intentNames {
		if k > 0 && n == s {
			return Intent(k), true
		}
	}
	return 0, false
}

// Action is something Tact can do.
type Action struct {
	Name    string
	Intent  Intent
	Purpose int32 // -1 where none: then the action is ambient
	Group   int32 // -1 where none
	Slots   []int32
	About   event.Subject
	Goal    event.Subject
	Before  int32 // kind to whose due instant it must come; -1 where none

	Eligible   rule.Node
	Applicable rule.Node
	Suitable   rule.Node

	Value      Micro
	Propensity Micro // the prior, in millionths
	Bother     Micro
	Lever      Micro // factor in millionths, without the group's

	Mandatory  bool
	ExemptCaps bool
	// ExemptPressure: its bother is not raised by the pressure, only its own and the floor count.
	ExemptPressure bool
	Repeat         sense.Duration // repeat_after; Forever where not given
	KeepArmed      sense.Duration // 0 where not given
	Measure        int32          // -1 where none
	LeastID        event.By
	NeedGrants     []int32 // purposes whose grant its signals want (`consent:` of a signal), in order
	Say            *Treatment
	SayPersonal    *Treatment
	Uses           []string // names in its own and its group's conditions and price, in order
	// ConditionsPersonal: its conditions, price or group read a fact, identity, history or a personal signal.
	ConditionsPersonal bool
}

// Part is one piece of a text: literal where Name is empty, else a placeholder.
type Part struct {
	Literal string
	Name    string
	Fact    int32 // index into Facts; -1 where the placeholder is no fact
	Input   int32 // index into Program.Inputs for a signal or derived value; -1 where none
}

// Rendered is a text in one language, cut at its placeholders.
type Rendered []Part

// Treatment is how an action is said. Only Text is set for a plain `say`.
type Treatment struct {
	Structured bool
	Title      []Rendered // per language, in the order of Bundle.Languages; nil where the author gave none
	Text       []Rendered
	Image      string
	Button     []Rendered
	Link       string
	Uses       []string // names in its placeholders, in order
	// Ambient: neither the conditions nor the texts read anything personal.
	Ambient bool
}

// Contact is the contact policy.
type Contact struct {
	Limits      []Limit
	Pauses      []Pause
	Pressure    *Pressure // nil where the policy has none
	MaxStale    []StaleAfter
	MinimumWait sense.Duration // 0 where none
}

// Calendar says how a limit's window is cut.
type Calendar uint8

const (
	Rolling Calendar = iota
	CalendarDay
	CalendarWeek
	CalendarMonth
)

// Limit is "at most N".
type Limit struct {
	Name     string // as in the record: the canonical text of the limit
	Intent   Intent // 0 for all
	Action   int32  // -1 for all
	Group    int32  // -1 for all
	Channel  string // empty for all
	About    bool   // counts per subject of the action
	AtMost   int64
	Counting string // the outcome counted
	Per      Calendar
	Window   sense.Duration // of a rolling limit
	Customer bool           // calendar in the customer's zone, else the policy's
}

// Pause holds back after an outcome.
type Pause struct {
	Same  string // "about", "action", "group" or "intent": what the pause covers
	After string // the outcome
	For   sense.Duration
}

// Pressure is the growing cost of bothering.
type Pressure struct {
	HalfLife sense.Duration
	Amounts  []OutcomeCost // in order of Outcome
	Floor    Micro
}

// OutcomeCost is what an outcome (or "visit") adds to the pressure.
type OutcomeCost struct {
	Outcome string
	Amount  Micro
}

// StaleAfter says how old the profile may be for an intent.
type StaleAfter struct {
	Intent Intent
	After  sense.Duration
}

// Quiet is the device's own quiet hours.
type Quiet struct {
	Hours []HourRange
	Pass  []Intent // safety where not given
}

// HourRange is from a local minute of the day to another, which may lie on the next day.
type HourRange struct{ From, To int }
