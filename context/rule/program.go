package rule

import (
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Node is the index of a node in Program.Nodes; None where there is no condition.
type Node int32

// None marks an absent condition.
const None Node = -1

// Scope says whose state a node reads.
type Scope uint8

const (
	// ScopeDevice: the same for every session.
	ScopeDevice Scope = iota
	// ScopeSession: of the one who is served in a session.
	ScopeSession
)

// Program is the flat, checked form of all conditions of a bundle.
//
// Invariants, which Check verifies after decoding: every argument of a node has
// a smaller index; nodes of ScopeDevice stand first; a node of ScopeDevice reads
// only nodes and inputs of ScopeDevice.
type Program struct {
	Inputs []Input
	Nodes  []Op
	Zones  []sense.Zone // of the parts of timestamps, by Op.Zone-1
}

// From says where an input comes from.
type From uint8

const (
	// FromSignal: the latest reading of signal Index; unknown where stale or null.
	FromSignal From = iota
	// FromFact: the value of fact Index in the session's slice.
	FromFact
	// FromHas: whether signal or fact Name has a value (never unknown but before the slice is there).
	FromHas
	// FromAge: whole years between the date in fact Index and today in the policy's zone.
	FromAge
	// FromInside: whether the session is inside place Index.
	FromInside
	// FromDistance: metres from the session's position to the edge of place Index, 0 inside; a double.
	FromDistance
	// FromBought to FromViewed: whether an interaction of that meaning about
	// Subject lies within Window (Forever: within the kind's keep).
	FromBought
	FromBooked
	FromAsked
	FromAnswered
	FromComplained
	FromContacted
	FromViewed
	// FromOpen: whether an interaction of kind Index is open (open_until).
	FromOpen
	// FromOverdue: whether an interaction of kind Index is overdue.
	FromOverdue
	// FromUntil: the time to the due instant of kind Index about Subject: the value is that
	// instant, and comparisons with lengths are made by OpUntil.
	FromUntil
	// FromHour, FromWeekday: the calendar in the policy's zone; weekday 1 (Monday) to 7.
	FromHour
	FromWeekday
	// FromNow: this instant, a timestamp that moves with time.
	FromNow
)

// Input is one variable of the program.
type Input struct {
	From    From
	Name    string // as the author wrote it: a signal, fact, place, interaction kind or local.hour
	Kind    sense.Kind
	Scope   Scope
	Index   int32 // into the bundle's Signals, Facts, Places or Kinds, by From; -1 where none
	Subject event.Subject
	Window  sense.Duration
}

// Code is the operation of a node.
type Code uint8

const (
	// Const gives Value. Load gives input Input.
	Const Code = iota
	Load
	// Not, And (n-ary), Or (n-ary), Cond (a ? b : c), three-valued.
	Not
	And
	Or
	Cond
	// Eq to Ge compare two arguments of one kind.
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	// In: whether the first argument is an element of the second, a list.
	In
	// Add to Neg are arithmetic over int, double, duration, money; overflow and division by zero are errors, but doubles
	// follow IEEE 754, as in CEL: what they divide by zero is infinite, or no number, of which no comparison holds.
	Add
	Sub
	Mul
	Div
	Mod
	Neg
	// Add joins strings, and lists. A double beside money is cut to whole micro-units.
	// StartsWith, EndsWith, Contains, Size over strings (and Size over lists).
	StartsWith
	EndsWith
	Contains
	Size
	// ToDouble converts an int or reads a string; ToInt truncates a double, reads a string, or gives the
	// seconds of a timestamp since 1970.
	ToDouble
	ToInt
	// Held: the time since the bool argument became certainly true; 0 where it is certainly false.
	// The result is a length that grows by itself; Since is the same but unknown where the argument never was true,
	// and goes on growing after it became false.
	Held
	Since
	// CountTrue: how often the bool argument became true within (now-For, now]; an int.
	CountTrue
	// CountReadings, Mean, Min, Max, Rate: over the readings of signal input Input within (now-For, now]. Mean and Rate
	// are cut to millionths; Rate is the change per second from the oldest reading to the newest. Without readings
	// (Rate: without two at different instants) all but the count are unknown.
	CountReadings
	Mean
	Min
	Max
	Rate
	// Became: true in the step in which the bool argument went from certainly false (unknown may lie between) to true.
	// Changed: true in the step in which input Input took another value.
	Became
	Changed
	// Armed: true for For from the instant of Became of the argument, unless the argument is certainly false: entered(place, d).
	Armed
	// Latch: two bool arguments, when and until: true from when certainly true until `until` is, unknown before either was, and
	// from where the one that would turn it is unknown.
	Latch
	// Index gives the element at a place, counted from 0, of a list (in either order: of two that have no value the
	// first stands, and CEL looks at the place first where the list is a name); one that is not there, or not of Kind,
	// is an error.
	Index
	// ToText prints a bool, int, double, duration or timestamp as CEL does; ToBool reads a string; ToTimestamp
	// takes seconds since 1970; ToMoney takes whole units or a double, cut to micro-units.
	ToText
	ToBool
	ToTimestamp
	ToMoney
	// PartYear to PartMilliseconds are parts of a timestamp on the calendar of Zone, counted as CEL does: months, days
	// of the month and of the year from 0 (PartDate from 1), weekdays from Sunday 0. Hours, minutes and seconds of a
	// duration are all of it. A named zone knows the years 1970 to 2099; beyond them its parts are an error.
	PartYear
	PartMonth
	PartDate
	PartDayOfMonth
	PartWeekday
	PartYearDay
	PartHours
	PartMinutes
	PartSeconds
	PartMilliseconds
	// Elem and Outer stand in a Body alone: the element at hand, and argument Input+1 of the node whose body it is.
	Elem
	Outer
	// Exists, All, ExistsOne, Filter and Map judge Body over each element of the first argument, a list, with the values
	// of the other arguments: as a chain of Or or And, whether it is true of just one, those of which it is true, and
	// what it gives for each. The result of a Body is that of its last node.
	Exists
	All
	ExistsOne
	Filter
	Map
	// ListOf makes a list of its arguments, which are of one kind; an error among them stands before an unknown.
	ListOf

	lastCode = ListOf
)

// Pure says whether an operation depends on its arguments alone.
func (c Code) Pure() bool {
	switch c {
	case Load, Held, Since, CountTrue, CountReadings, Mean, Min, Max, Rate, Became, Changed, Armed, Latch, Elem, Outer:
		return false
	}
	return c <= lastCode
}

// window says whether an operation keeps what happened within some time.
func (c Code) window() bool {
	switch c {
	case CountTrue, CountReadings, Mean, Min, Max, Rate:
		return true
	}
	return false
}

// overList says whether an operation has a Body.
func (c Code) overList() bool { return c >= Exists && c <= Map }

// Op is one node: an operation over nodes before it.
type Op struct {
	Code  Code
	Kind  sense.Kind // of the result; Bool for predicates
	Scope Scope
	Args  []Node
	Input int32 // Load, CountReadings, Mean, Min, Max, Rate, Changed, Outer; else -1
	Zone  int32 // of parts: 0 for UTC, else Program.Zones[Zone-1]
	Value sense.Value
	For   sense.Duration
	Text  string // canonical text of the (sub)condition, for `needed`; empty for nodes that are not bool
	Body  []Op   // of Exists to Map; arguments are nodes of the body before
}

// Truth is a truth value of three.
type Truth uint8

const (
	Unknown Truth = iota
	False
	True
)

var truthNames = [...]string{"unknown", "false", "true"}

func (t Truth) String() string { return truthNames[t] }

// Cause says why a result is unknown.
type Cause uint8

const (
	Known        Cause = iota
	InputUnknown       // has not spoken, is null, or nobody is identified
	SignalStale        // older than max_age
	FactStale          // older than fresh
	FactMissing        // the slice is there and has no such fact
	Failed             // an error: overflow, division by zero
	Settling           // a window that is not filled since the start, a latch that was in neither state
	NotRead            // a source that may not be read: no consent for it
)

// Result is the outcome of a node or the state of an input.
type Result struct {
	Cause Cause
	Input int32 // the input that made it unknown, leftmost first; -1 where none
	Value sense.Value
}

// Truth returns the truth of a bool result.
func (r Result) Truth() Truth {
	switch {
	case r.Cause != Known || r.Value.Kind() != sense.Bool:
		return Unknown
	case r.Value.Bool():
		return True
	}
	return False
}
