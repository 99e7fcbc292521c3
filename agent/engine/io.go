package engine

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Config is what a mind is given for life.
type Config struct {
	Device string
	Epoch  uint64        // of the store; 0 in replay
	From   uint64        // number of the first decision; 1 where 0
	Former []Former      // epochs that the device had to leave: decisions made in them may still be answered
	Secret [16]byte      // drawn once for the device: handles and hold-out groups are functions of it
	Life   uint64        // drawn by each start of a device: what a copy of it decides is told apart, made in the same millisecond too
	Slots  []string      // slots that this device has; nil for all
	Owners []event.Owner // what the device belongs to, where identify does not say
	Absent []string      // sources that this device does not have
	// Leased: no slice is ever asked for, every customer's is here and leased for ever (replay, scenarios, the hub's virtual device).
	Leased bool
	// Zone gives the rules of a named time zone, always the same. Where it is nil the policy's zone is
	// the only one that is known: the calendars of customers who live in another are cut by it.
	Zone func(name string) (sense.Zone, error)
	// Sessions is how many may be open, Customers how many may be held; 0 takes DefaultSessions and
	// DefaultCustomers, but no bound where Leased: nothing would bring back what was let go.
	Sessions, Customers int
	// Readings: Output.Readings is filled.
	Readings bool
	// Moments: Output.Moments is filled.
	Moments bool
	// Budgets: a contact that falls under a limit of a customer takes a unit that the hub has leased, and is not
	// made without one. Not so where Leased, or where the device stands alone.
	Budgets bool
	// Hub: there is a hub, which may know of somebody whom this device does not, and hears who is forgotten here.
	Hub bool
	// MaxSlices bounds the bytes held of customers, by estimate; 0 for no bound.
	MaxSlices int64
}

// Former is an epoch that was left, and how many decisions it had.
type Former struct {
	Epoch, Decisions uint64
}

// Input is one step: what happened at one instant. A step without events lets
// the timers that are due at At fire. Callers pass every instant that Output.Wake
// named before they pass a later one (Advance does).
type Input struct {
	At     sense.Instant
	Events []event.Event // of one step, see event.Closes; At of each is ignored, Happened is used
	Slices []SliceUpdate // from the hub
	Bundle *BundleUpdate
}

// BundleUpdate puts another policy in charge.
type BundleUpdate struct {
	Bundle *catalog.Bundle
	Hash   [32]byte // of its encoded form
}

// Handle is the random name under which records speak of a customer.
type Handle [16]byte

// SliceUpdate is what the hub says of one slice that the device asked for.
type SliceUpdate struct {
	Handle   Handle
	Revision uint64
	Until    sense.Instant  // end of the lease
	Through  uint64         // the device's records up to this sequence number are in the slice already
	Customer string         // the hub's own id of the customer; empty leaves it
	Slice    *profile.Slice // nil: unchanged, confirmed as current
	Forget   bool           // erased at the hub: the slice goes, nothing else is read
	Delta    bool           // Slice is what is new since the revision Base, else the whole of it
	Base     uint64         // with Delta
	// Budgets are the device's shares of what limits still allow, counted above Through, and hold until
	// BudgetUntil; with BudgetUntil 0 the update says nothing of them.
	Budgets     []profile.Budget
	BudgetUntil sense.Instant
	// Each goes with Budgets: of each subject that they do not name. It is taken under the bundle of that hash only, by its
	// first 8 bytes: other subjects are meant else.
	Each   []profile.Each
	EachOf [8]byte
}

// Output is what a step wants done, in the order of its fields: persist, withhold, destroy,
// clear, show, hand over, want, wake. Persist is one transaction and the commit point; a
// clear with Protects is performed even when it fails.
//
// It is lent: with all that hangs on it it holds until the next step of its mind, which uses the memory again. Who
// keeps it longer, or any of it, takes a copy before: Keep. Who reads why candidates fell asks for it: Decision.Explain.
type Output struct {
	At      sense.Instant
	Persist []Record
	// Withhold names records that wait to be sent and may not be any more: their purposes were refused.
	Withhold []uint64
	LetGo    bool     // something held went without a record: what is stored of it must be written anew
	Destroy  []Handle // whose keys go, durably, before a receipt for it may leave
	Clear    []Clear
	Show     []*Decision // actions and, for an ask, silences
	HandOver []HandOver  // what people are told who take over
	Silent   []Silence   // unasked silences, for counting
	Want     *Want       // nil where unchanged since the step before
	Wake     sense.Instant
	Refused  []Refusal
	Readings []Reading // signals and derived values that changed, only where Config asks for them
	Moments  []Moment  // what the decisions in Show looked at, where a policy is in charge; only where Config asks for them
}

// Record is one durable fact about what the mind did or learned: exactly one of
// Decision, Event and Identified is set.
type Record struct {
	Seq        uint64 // in the device's one sequence line, given by the mind
	At         sense.Instant
	Handle     Handle // whose; zero for nobody
	Decision   *Decision
	Exposure   *profile.Exposure // with Decision: the contact that it reserved; nil for silence and nobody
	Event      *event.Event      // an outcome, consent, objection, restrict, fact, interaction or forget made on the device
	Identified *Identified
	Erased     [][32]byte // with a forget: tombstones of all ids of the customer, so that the log alone refuses what is said later
}

// Identified ties a handle to a customer, before any record that uses it. In a Record without a handle of
// its own it names whom the receipt that follows is about, and ties nothing here.
type Identified struct {
	Handle   Handle
	Customer string
	By       event.By // by card or login it lifts an erasure
}

// Clear takes down what is shown.
type Clear struct {
	At       sense.Instant
	Decision string
	Session  string
	Slot     string
	Cause    string // a reason code, "session", "expired" or "replaced"
	Protects bool   // somebody would be exposed if it stayed
}

// Silence is an unasked slot in which nothing was worth saying.
type Silence struct {
	Decision // without an id
}

// Refusal is an event that was not taken.
type Refusal struct {
	Index int // into Input.Events
	Err   error
}

// Want is what the mind needs from outside. Of slices it names what is new or another than in the Want
// before, and what is wanted no more: one person more costs the same however many are held. A mind's first
// Want names them all.
type Want struct {
	Slices  []WantSlice // in order of handle
	Gone    []Handle    // that were wanted, in order
	Signals []string    // names of the signals that a rule uses and that may be read now, in order
}

// WantSlice asks for a customer's slice.
type WantSlice struct {
	Handle   Handle
	Customer string
	Revision uint64        // 0 where none is held
	Owners   []event.Owner // what the customer was last seen with: their facts are wanted too
	Served   bool          // in a session now: budgets are wanted, and the lease renewed
	Budgets  sense.Instant // end of the lease of the budgets that are held; 0 where none are
}

// Reading is a signal or derived value after decoding.
type Reading struct {
	At     sense.Instant
	Signal string
	Value  sense.Value
}

// Decision is the choice for one slot with all that explains it. It is lent as an Output is; Keep keeps it.
type Decision struct {
	At          sense.Instant
	ID          string
	N           uint64
	Session     string
	Slot        string
	Customer    string // empty for nobody
	Asked       bool
	Action      string // "silence" where nothing is said
	Treatment   string // "say" or "say_personal"; empty for silence
	Text        *Text  // nil for silence
	Language    string
	List        []Ranked
	Cause       string // of silence: a reason code; "fallback"; empty for an action
	Value       catalog.Micro
	Propensity  catalog.Micro // -1 for silence
	Probability catalog.Micro
	Uses        []string
	Ages        []sense.Duration // of Uses, catalog.NoAge where a name has none
	Moment      [8]byte          // keyed hash of the readings, the slice and the policy that this was decided on
	Rejected    []Rejected       // in order of Action; nil before Explain
	Priced      bool             // the action has a price that depends on the moment
	Price       catalog.Micro    // that price, where Priced
	Normal      catalog.Micro    // the normal one
	Policy      string           // name@version

	making *making // of what Explain tells; nil once it did
}

// Text is a treatment with its placeholders filled.
type Text struct {
	Structured                       bool
	Title, Text, Image, Button, Link string
}

// Ranked is one of the ranks 2..N of a list.
type Ranked struct {
	Action      string
	Treatment   string
	Text        *Text
	Value       catalog.Micro
	Propensity  catalog.Micro
	Probability catalog.Micro
}

// Rejected is a candidate that was not chosen, and why.
type Rejected struct {
	Action  string
	Stage   catalog.Stage
	Reason  catalog.Reason
	Because []catalog.Because
	Value   catalog.Micro // what it would have been worth
}

// Snapshot is the durable part of a mind: the records up to Applied are in it.
type Snapshot struct {
	Applied   uint64 // highest sequence number folded in
	Decisions uint64 // how many decisions the epoch has had
	Handles   uint64 // how many handles were drawn
	At        sense.Instant
	Customers []CustomerState // in order of handle
	Owned     []profile.Fact  // facts of vehicles, households and sites
	Erased    [][32]byte      // tombstones: keyed hashes of ids, in order
	Fences    moment.Snapshot
	Seen      []SeenID // ids of the events taken in, oldest first, bounded
	Volume    []Volume // what was shown to anybody, in order of action
}

// CustomerState is what is held of one customer.
type CustomerState struct {
	Handle   Handle
	Customer string
	Person   string   // the hub's own id; empty until it is told
	Aliases  []string // other ids under which the customer was identified, in order
	Revision uint64   // of the hub's slice
	Changed  uint64   // counts every change, so that a store writes what changed
	Until    sense.Instant
	Here     bool // a slice came, or none is needed
	Slice    profile.Slice
	Budgets  profile.Budgets
	Pending  []Record  // made here, above the slice's Through, in order of Seq
	Told     []Told    // derived values that the hub was told, in order of name
	Decided  []Decided // the last decisions for her, oldest first, at most MostDecided
}

// SeenID is an event id that was taken.
type SeenID struct{ Source, ID string }
