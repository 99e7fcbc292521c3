package wire

//msgp:limit arrays:4096 maps:0
//msgp:vartuple Slice Delta Unchanged Forget Ack Blob SiteSignal BudgetEach
//msgp:tuple Owner SliceFact SliceConsent SliceObjection SliceInteraction SliceExposure SliceOutcome Budget Range

// Slice is what a device may know of one customer while the lease runs. It
// replaces the slice of an older revision whole. Names are written out: a slice
// belongs to no bundle.
type Slice struct {
	Handle       Handle
	Revision     uint64 // grows with each change
	Until        int64  // end of the lease, ms
	ThroughEpoch uint64 // the hub has folded in the device's own records of this epoch
	Through      uint64 // ... up to and with this sequence number
	Customer     string // the hub's id
	Owners       []Owner
	Facts        []SliceFact
	Consents     []SliceConsent
	Objections   []SliceObjection
	Restricted   bool
	Interactions []SliceInteraction
	Re           string // id of the request that this answers; empty for a push
	Exposures    []SliceExposure
	Budgets      []Budget // as in Budget
	BudgetUntil  int64
	Each         []BudgetEach
}

// Delta brings a slice of revision Base to Revision: what is in it is new, or
// takes the place of what has the same name (a fact's claim of one source, the
// word on a purpose) or id (a contact). What does not come again stays. Whoever
// does not have Base asks for the whole slice.
type Delta struct {
	Handle       Handle
	Base         uint64
	Revision     uint64
	Until        int64  // as in Slice
	ThroughEpoch uint64 // as in Slice
	Through      uint64
	Customer     string
	Restricted   bool
	Facts        []SliceFact
	Consents     []SliceConsent
	Objections   []SliceObjection
	Interactions []SliceInteraction
	Exposures    []SliceExposure
	Budgets      []Budget // as in Budget
	BudgetUntil  int64
	Re           string
	Each         []BudgetEach
}

// SliceExposure is one contact that some device of the fleet made with the
// customer, and what became of it. Contacts are only added, and their outcomes too:
// copies merge in any order.
type SliceExposure struct {
	Decision string // id
	Action   string
	Intent   string // empty where the hub does not have the bundle: the device looks it up by Action, and so the next four
	Group    string
	About    string
	Channel  string
	Slot     string
	At       int64 // of the decision
	Shown    int64 // 0 until it is known
	Failed   bool
	Outcomes []SliceOutcome `msg:",limit=64"`
}

// SliceOutcome is one answer to a contact.
type SliceOutcome struct {
	Outcome string
	At      int64
}

// Budget is the device's share of what a limit still allows for the customer: so
// many contacts that fall under the limit, of those that its log records above
// Through of the message. The budgets of a message with a BudgetUntil other than 0 take the
// place of those before, and hold until then by the hub's clock; a message with 0 says nothing of them.
type Budget struct {
	Limit string // its name, as in the bundle
	About string // of a limit that counts per subject: the action's subject, else its name
	Units uint32 // 0: there would be some, but other devices have them now
}

// BudgetEach is the device's share of a limit that counts per subject, where there are more subjects than one message
// names: so many contacts about each that the limit's Budgets do not name. It goes with the Budgets of its message. A
// device that runs another bundle takes nothing of it: other subjects are meant.
type BudgetEach struct {
	Limit  string
	Units  uint32
	But    []string // about these there is none
	Bundle [8]byte  // its BundleID
}

// Owner names what the customer is with.
type Owner struct{ Kind, ID string }

// SliceFact is a fact of the customer, or of an owner where Owner is not empty.
type SliceFact struct {
	Name       string
	Owner      string
	Value      Value
	Provenance uint8 // as in Fact
	Source     string
	Happened   int64
}

// SliceConsent is the newest word on a purpose.
type SliceConsent struct {
	Purpose  string
	Granted  bool
	Ever     bool   // granted at some time before: a withdrawal, not a refusal
	Text     string // version
	Happened int64
	Expires  int64 // 0 never
	Source   string
}

// SliceObjection is the newest word on a purpose that rests on interest.
type SliceObjection struct {
	Purpose  string
	Raised   bool
	Happened int64
	Source   string
}

// SliceInteraction is one interaction, of whatever channel.
type SliceInteraction struct {
	Kind     string
	About    string
	Channel  string
	Ref      string
	Happened int64
	Due      int64 // 0 none
	Value    Value
	ID       string
	Source   string
}

// Unchanged says that the device's revision is the newest, and renews the lease. With Revision 0 it
// says that the hub knows nothing of the handle: it must be told whose it is.
type Unchanged struct {
	Handle       Handle
	Revision     uint64
	Until        int64
	ThroughEpoch uint64
	Through      uint64
	Re           string // as in Slice
	Budgets      []Budget
	BudgetUntil  int64
	Each         []BudgetEach
}

// Forget erases the customer of a handle. It is repeated until the Forgotten
// record with its ID is in the log.
type Forget struct {
	Handle Handle
	ID     string
	Re     string // as in Slice
}

// Ack says what the hub has committed.
type Ack struct {
	Epoch   uint64
	Through uint64  // every record up to and with this one
	Ranges  []Range `msg:",limit=16"` // further ones, in order, apart
	Time    int64   // the hub's clock, ms
	Re      string  // id of the hello that this answers, or empty
}

// Range is First..Last, both in it.
type Range struct{ First, Last uint64 }

// Blob is one chunk of a file.
type Blob struct {
	ID    string // SHA-256 of the file in hex
	Index uint32 // from 0
	Of    uint32 // number of chunks
	Bytes []byte `msg:",limit=32768"`
	Re    string // id of the request
}

// SiteSignal is a signal that no sensor has: stock, price, opening hours, forecast.
type SiteSignal struct {
	Name     string
	Value    Value
	Happened int64
	Until    int64 // 0 holds until the next
}
