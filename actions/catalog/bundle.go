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
	Sleeping   sense.Duration // without any interaction for so long a customer sleeps; Forever where not given
	Strikes    *Strikes       // nil where the policy counts none

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
	// BasisNone: the law took the basis away. Nothing is done for the purpose any more, and what was held
	// only for it goes.
	BasisNone
)

var basisNames = [...]string{"", "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest", "none"}

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
// makes the purpose NAME.unasked as well, whose index is Unasked, and a partner of
// it the purpose NAME.PARTNER.
type Purpose struct {
	Name     string
	Basis    Basis
	Explicit bool  // consent must be explicit, with the text version
	Unasked  int32 // index of the purpose that unasked showings need as well; -1 where none
	For      Text
	// LeastAge in whole years, by the date in fact Born: who is younger, or may be, cannot consent alone.
	LeastAge int64 // 0 where not given
	Born     int32 // -1 where LeastAge is 0
}

// Partner is somebody else who gets something, for a purpose.
type Partner struct {
	Name    string
	Purpose int32
	Consent int32 // index of the purpose PURPOSE.PARTNER, of basis consent: that the partner gets it
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
	Special  string // special category, empty where none
	Leaves   bool   // may leave the device
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
	Special  string
	// Leaves: its value, with the time and nothing that it was made of, is told to the hub when it changes.
	Leaves  bool
	Keep    sense.Duration // how long the hub holds it; Forever where not given
	Why     Text
	Formula string // canonical text of what it is
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
	Preference bool           // what the customer wants: actions of its words that are not named are held back
	Leaves     bool
	Why        Text
	// Valid values of a number lie in [Least, Most] (micro-units); MinInt64 and MaxInt64 where open.
	Least, Most Micro
	InPast      bool   // a date or timestamp that cannot lie ahead
	Format      string // "email", "phone" or "url"; empty for any text
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
	MaxText       int64 // characters that fit; 0 for any number
}

// Group is what actions have in common.
type Group struct {
	Name       string
	Issue      string
	Lever      Micro // factor in millionths: 10 % is 1,100,000
	Weights    []Weight
	Eligible   rule.Node
	Applicable rule.Node
	Suitable   rule.Node
}

// Weight multiplies the expected value while a condition is certainly true.
type Weight struct {
	When   rule.Node
	Factor Micro // in millionths: 10 % is 1,100,000
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
	Uses           []string // names in its own and its group's conditions, weights and price, in order
	// ConditionsPersonal: its conditions, weights, price or group read a fact, identity, history or a personal signal.
	ConditionsPersonal bool
	// Reads are the facts that its conditions, weights and price read, also through derived values and states, in order.
	Reads []int32
	// Seen are the questions to history whose answer rests on what the customer was seen doing (viewed).
	Seen []Seen
	// Special is the category of the special data that it reads or says; empty where none.
	Special string

	From, Until sense.Instant // shown from (0 where not given) and until (Never where not given)
	Hours       []WeekHours   // shown within one of them; any time where empty
	At          []Schedule    // shown from one of these on, for KeepArmed; any time where empty

	Partner     int32 // who gets something by it; -1 where nobody
	Weights     []Weight
	Price       *Price  // nil where it does not depend on anything
	Elsewhere   Micro   // what it costs that it cannot be completed here
	Quality     Micro   // least quality of the facts that it uses; 0 where not given
	Significant bool    // decided by a person, never by the machine alone
	Household   bool    // fit for an identity that several people share
	Follows     *Follow // nil where it waits for nothing
	Exemptions  []Exemption

	// Of a question: the fact that it asks for, or the one that it asks to confirm (one of the two; -1
	// where not), the action that its answer serves (-1 where it serves for itself), and its words, each
	// per language or nil: why it is asked, what the customer gets, how it is asked again after an
	// answer that could not be used.
	Asks     int32
	Confirms int32
	Serves   int32
	Because  []Rendered
	InReturn []Rendered
	Retry    []Rendered

	Needs     []Need    // what must be known to deliver it, in order of Delivery
	HandsOver *HandOver // nil where it hands nothing over
}

// Seen is one question to the history of what the customer looked at.
type Seen struct {
	Subject event.Subject
	Window  sense.Duration
}

// WeekHours are hours of some days of the week, in the policy's zone.
type WeekHours struct {
	Days uint8 // bit 0 is Monday
	HourRange
}

// Schedule is an instant that comes back: at a minute of the local day, on some days of the week, a
// day of the month, or one date.
type Schedule struct {
	Days     uint8 // bit 0 is Monday; 0 for every day
	MonthDay int64 // 1 to 31; 0 for any
	Date     int64 // days since 1970-01-01; -1 for any
	Minute   int64 // of the day
}

// Price depends on the moment, and says so.
type Price struct {
	Node     rule.Node // an amount of money
	Normal   Micro
	Disclose []Rendered // per language: stands before the text where the price is not the normal one
}

// Follow makes an action wait for the response to another.
type Follow struct {
	Action    int32
	ElseAfter sense.Duration // without a response it waits for so long after that one was shown; Forever where not given
}

// Exemption is a rule that an action need not keep: written out, dated and owned.
type Exemption struct {
	Of    string // "caps" or "pressure"
	Since int64  // day; -1 where not given
	By    string // empty where not given
}

// Need names what must be known to deliver an action in one way.
type Need struct {
	Delivery string // empty where there is only one way
	Facts    []int32
}

// HandOver says what a person is told who takes over.
type HandOver struct {
	Tells []string // kinds of interactions, facts, "last_decisions", "answers" or "question", in order
}

// StrikeEffect is what a number of negative experiences leads to; each includes those before it.
type StrikeEffect uint8

const (
	// StrikeRecovery: actions of intent recovery come before all others.
	StrikeRecovery StrikeEffect = iota + 1
	// StrikeNoSales: nothing is sold any more; staff are told, and a person is offered.
	StrikeNoSales
	// StrikeHandOver: actions of intent handoff come before all others.
	StrikeHandOver
)

var strikeNames = [...]string{"", "recovery", "no_sales_and_offer_person", "hand_over"}

func (e StrikeEffect) String() string { return strikeNames[e] }

// ParseStrikeEffect reads the name of an effect.
func ParseStrikeEffect(s string) (StrikeEffect, bool) {
	for k, n := range strikeNames {
		if k > 0 && n == s {
			return StrikeEffect(k), true
		}
	}
	return 0, false
}

// Strikes counts negative experiences: interactions of negative kinds and negative outcomes, one per ref.
type Strikes struct {
	In sense.Duration
	At []Strike // in order of Count
}

// Strike is what the Count-th negative experience leads to.
type Strike struct {
	Count int64
	Then  StrikeEffect
}

// Part is one piece of a text: literal where Name is empty, else a placeholder.
type Part struct {
	Literal string
	Name    string
	Fact    int32 // index into Facts; -1 where the placeholder is no fact
	Input   int32 // index into Program.Inputs for a signal; -1 where none
	Derived int32 // index into Derived; -1 where none
	Of      PartOf
}

// PartOf says what of the action a placeholder stands for.
type PartOf uint8

const (
	PartOfNothing    PartOf = iota // a literal, a fact, a signal or a derived value
	PartPrice                      // {price}: the price now
	PartPricePercent               // {price.percent}: by how much it differs from the normal price
	PartPriceNormal                // {price.normal}
)

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
	Limits   []Limit
	Pauses   []Pause
	Pressure *Pressure // nil where the policy has none
	MaxStale []StaleAfter
	Waits    []Wait
	Volume   []Volume
}

// Wait is the least time between two unasked showings that are the same in some way.
type Wait struct {
	Intent Intent // of what waits; 0 for all
	Action int32  // -1 for all
	Group  int32  // -1 for all
	// Same is what the two have in common: "action", "group", "intent", "about" or "channel"; empty for any two.
	Same string
	For  sense.Duration
}

// Volume is "at most N" over all customers of the device together, in the policy's zone.
type Volume struct {
	Name   string
	Action int32 // -1 for all
	Group  int32 // -1 for all
	Intent Intent
	AtMost int64
	Per    Calendar
	Window sense.Duration // of a rolling one
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
	Same   string // "about", "action", "group", "intent", "channel" or "customer": what the pause covers
	Intent Intent // holds back only actions of this intent; 0 for all
	After  string // the outcome
	For    sense.Duration
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
