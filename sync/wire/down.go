package wire

//msgp:limit arrays:4096 maps:0
//msgp:vartuple Slice Unchanged Forget Ack Blob SiteSignal
//msgp:tuple Owner SliceFact SliceConsent SliceObjection SliceInteraction Range

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

// Unchanged says that the device's revision is the newest, and renews the lease.
type Unchanged struct {
	Handle       Handle
	Revision     uint64
	Until        int64
	ThroughEpoch uint64
	Through      uint64
	Re           string // as in Slice
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
