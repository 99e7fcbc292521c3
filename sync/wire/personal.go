package wire

//msgp:limit arrays:4096 maps:0
//msgp:vartuple Outcome Fact Consent Objection Restrict Interaction Identified
//msgp:ignore Tail

// Origin fields, the same in each personal record: At is when it reached the
// device, Happened when it took place (never after At), ID and Source name the
// event, so that the same event is taken once.

// Outcome is what became of a decision.
type Outcome struct {
	At       int64
	Happened int64
	Epoch    uint64 // of the decision; 0 is the batch's own
	N        uint64 // number of the decision
	Outcome  Sym    // shown accepted dismissed ignored later never negative abandoned failed
	Session  Sym
	Slot     Sym
	Action   Sym
	Handle   Handle
	ID       string
	Source   string
	Tail     Tail `msg:"-"`
	schema1  bool // it was read in the form of schema 1
	// Device made the decision, where another answers it than the one whose batch this is: then Epoch is
	// that device's. Empty for the batch's own. The form of schema 1 has none.
	Device string `msg:"-"`
}

// Fact is one attribute of a customer (Handle) or of an owner, exactly one of
// the two; a null value retracts it.
type Fact struct {
	At         int64
	Happened   int64
	Handle     Handle
	Owner      string
	Name       Sym
	Value      Value
	Provenance uint8 // 1 declared, 2 observed, 3 inferred, 4 third_party
	ID         string
	Source     string
	Tail       Tail `msg:"-"`
}

// Consent is given or withdrawn.
type Consent struct {
	At       int64
	Happened int64
	Handle   Handle
	Purpose  Sym
	Granted  bool
	Text     string // version of the text agreed to
	Expires  int64  // ms; 0 never
	ID       string
	Source   string
	Tail     Tail `msg:"-"`
}

// Objection is raised or taken back.
type Objection struct {
	At       int64
	Happened int64
	Handle   Handle
	Purpose  Sym
	Raised   bool
	ID       string
	Source   string
	Tail     Tail `msg:"-"`
}

// Restrict stops or resumes all use of a customer's data.
type Restrict struct {
	At       int64
	Happened int64
	Handle   Handle
	On       bool
	ID       string
	Source   string
	Tail     Tail `msg:"-"`
}

// Interaction is what happened between the customer and the company.
type Interaction struct {
	At       int64
	Happened int64
	Handle   Handle
	What     Sym // what happened, as the policy declares it
	About    string
	Channel  Sym
	Ref      string
	Value    Value // number or null
	Due      int64 // ms; 0 none
	ID       string
	Source   string
	Tail     Tail `msg:"-"`
}

// Identified tells the hub whose handle this is, sealed to the hub's key
// (SealToHub); it stands in the log before any record that uses the handle.
type Identified struct {
	At       int64
	Handle   Handle
	Sealed   []byte
	Session  Sym
	By       uint8  // 1 passive, 2 code, 3 card, 4 login, 5 staff
	Strength uint32 // millionths
	Tail     Tail   `msg:"-"`
}
