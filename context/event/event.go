package event

import (
	"strings"

	"github.com/tact-edge/tact/context/sense"
)

// MaxLine is the longest event line in bytes.
const MaxLine = 64 << 10

// MaxID is the longest event id in characters.
const MaxID = 64

// MainSession is the session of an event that names none.
const MainSession = "main"

// Event is one thing that happened.
type Event struct {
	At       sense.Instant // when it reached this mind; 0 with HasAt false where the line has none
	HasAt    bool
	Happened sense.Instant // when it took place, never after At; equal to At where the line does not say
	ID       string        // with Source: the same pair twice is taken once
	Source   string
	Session  string // never empty
	Body     Body
}

// Body is what happened: exactly one of the types below that say so.
type Body interface{ body() }

func (*Signal) body()      {}
func (*Identify) body()    {}
func (*Fact) body()        {}
func (*Consent) body()     {}
func (*Objection) body()   {}
func (*Restrict) body()    {}
func (*Interaction) body() {}
func (*Ask) body()         {}
func (*Outcome) body()     {}
func (*Forget) body()      {}
func (*Merge) body()       {}
func (*Split) body()       {}
func (*Tick) body()        {}
func (*Boot) body()        {}
func (*Clock) body()       {}
func (*Lease) body()       {}
func (*Policy) body()      {}
func (*Link) body()        {}

// Signal is a typed reading of the surroundings; a null value means that the
// source is there and has nothing to say.
type Signal struct {
	Name  string
	Value sense.Value
	Age   sense.Duration // how old the reading was when it came
}

// By says how a customer was recognised, weakest first.
type By uint8

const (
	ByNobody By = iota
	ByPassive
	ByCode
	ByCard
	ByLogin
	ByStaff
)

var byNames = [...]string{"", "passive", "code", "card", "login", "staff"}

func (b By) String() string { return byNames[b] }

// ParseBy reads the name of a way to be recognised.
func ParseBy(s string) (By, bool) {
	for k, n := range byNames {
		if k > 0 && n == s {
			return By(k), true
		}
	}
	return ByNobody, false
}

// Identify says who is served in the session from now on; an empty Customer, nobody.
type Identify struct {
	Customer string
	By       By
	Strength int64 // millionths; 1,000,000 where the line does not say
	Shared   bool
	Language string
	Owners   []Owner // in order of Kind
}

// Owner names what the customer is with: a vehicle, a household, a site.
type Owner struct{ Kind, ID string }

// Provenance says how a fact came to be known.
type Provenance uint8

const (
	Declared Provenance = iota + 1
	Observed
	Inferred
	ThirdParty
)

var provenanceNames = [...]string{"", "declared", "observed", "inferred", "third_party"}

func (p Provenance) String() string { return provenanceNames[p] }

// ParseProvenance reads the name of a provenance.
func ParseProvenance(s string) (Provenance, bool) {
	for k, n := range provenanceNames {
		if k > 0 && n == s {
			return Provenance(k), true
		}
	}
	return 0, false
}

// Fact is one attribute of a customer or of an owner (exactly one of the two);
// a null value retracts it.
type Fact struct {
	Name       string
	Customer   string
	Owner      string
	Value      sense.Value
	Provenance Provenance
}

// Consent is given or withdrawn for a purpose.
type Consent struct {
	Purpose  string
	Customer string
	Granted  bool
	Text     string        // version of the text that was agreed to
	Expires  sense.Instant // Never where the line does not say
}

// Objection is raised against a purpose that rests on interest, or taken back.
type Objection struct {
	Purpose  string
	Customer string
	Raised   bool
}

// Restrict stops or resumes all use of a customer's data.
type Restrict struct {
	Customer string
	On       bool
}

// Interaction is what happened between the customer and the company in any channel.
type Interaction struct {
	Kind     string
	Customer string
	About    Subject
	Channel  string
	Ref      string
	Value    sense.Value   // number or null
	Due      sense.Instant // Never where the line does not say
}

// Ask wants a decision for a slot now.
type Ask struct {
	Slot     string
	Intent   string
	About    Subject
	With     []Signal // in order of Name
	Count    int      // 0 where the line does not say
	Language string
}

// Outcome is the answer to a decision.
type Outcome struct {
	Outcome  string // one of Outcomes
	Decision string // an id, or "last"
	Slot     string
}

// Outcomes are the words of an outcome line.
var Outcomes = []string{"shown", "accepted", "dismissed", "ignored", "later", "never", "negative", "abandoned", "failed"}

type (
	// Forget erases a customer.
	Forget struct{ Customer string }
	// Merge says that two ids are one person; the first stays.
	Merge struct{ Into, From string }
	// Split takes a merge back.
	Split struct{ Into, From string }
	// Tick lets time pass.
	Tick struct{}
	// Boot starts the device: windows and holds over signals begin anew.
	Boot struct {
		Clock  sense.ClockState
		Absent []string // sources that this device does not have, in order
	}
	// Clock sets the wall clock.
	Clock struct {
		Now   sense.Instant
		State sense.ClockState
		Zone  string
	}
	// Lease grants a customer's slice until an instant; ends it where Until is 0.
	Lease struct {
		Customer string
		Until    sense.Instant // 0 ends it (null in the line)
	}
	// Policy says which policy decides from here on.
	Policy struct{ Version string }
	// Link says whether the hub can be reached.
	Link struct{ Up bool }
)

// Closes says whether a line is a step of its own, closing the one before.
func Closes(b Body) bool {
	switch b.(type) {
	case *Ask, *Identify, *Outcome, *Forget, *Lease, *Policy:
		return true
	}
	return false
}

// Subject is what an action or interaction is about: "type:id" or "type:id/sub".
type Subject string

// Type returns what stands before the colon.
func (s Subject) Type() string {
	t, _, _ := strings.Cut(string(s), ":")
	return t
}

// ID returns what stands behind the colon, empty where nothing does.
func (s Subject) ID() string {
	_, id, _ := strings.Cut(string(s), ":")
	return id
}

// Covers says whether s is t or t lies below it: product:model-x covers product:model-x/gti.
func (s Subject) Covers(t Subject) bool {
	return s != "" && (s == t || len(t) > len(s) && t[len(s)] == '/' && t[:len(s)] == s)
}

// Touches says whether two subjects are the same or one lies below the other.
func (s Subject) Touches(t Subject) bool { return s.Covers(t) || t.Covers(s) }

// Valid says whether s has a type and an id.
func (s Subject) Valid() bool {
	t, id, ok := strings.Cut(string(s), ":")
	return ok && t != "" && id != "" && !strings.ContainsAny(string(s), " \t\n\"'")
}
