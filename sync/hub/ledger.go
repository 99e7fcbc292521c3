package hub

import (
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// View is what the mind reads of the ledger: as it is inside the transaction
// that is open, the writes of earlier steps included. Lists are in the order
// that their comment names.
type View interface {
	// PersonOf returns the name of the customer that an id belongs to.
	PersonOf(id string) (person string, ok bool, err error)
	// IDsOf returns the ids of a customer, in order.
	IDsOf(person string) ([]string, error)
	// People returns the names of at most limit customers that come after that one, in order of their bytes.
	People(after string, limit int) ([]string, error)
	// MergesOf returns the merges that name one of ids, in order of Happened, Into, From.
	MergesOf(ids []string) ([]Merge, error)
	// Entries returns what is known under these ids, in order of Row.
	Entries(ids []string) ([]Entry, error)
	// OwnerEntries returns what is known of these owners, in order of Row.
	OwnerEntries(owners []string) ([]Entry, error)
	// Expired returns at most limit entries whose Expires is not after now, in order of Row.
	Expired(now sense.Instant, limit int) ([]Entry, error)
	// Taken says whether an event id was taken before.
	Taken(key Hash) (bool, error)
	// ErasedAt says when the id with this hash was erased.
	ErasedAt(id Hash) (at sense.Instant, ok bool, err error)

	// Holding returns what a handle of a device stands for.
	Holding(device string, h wire.Handle) (Holding, bool, error)
	// Customers returns the ids that handles of a device stand for; a handle that stands for nobody is left out.
	Customers(device string, handles []wire.Handle) (map[wire.Handle]string, error)
	// HoldingsOf returns the handles of these ids, in order of device and handle.
	HoldingsOf(ids []string) ([]Holding, error)
	// HoldingsWith returns the handles whose customer is with one of these owners, in the same order.
	HoldingsWith(owners []string) ([]Holding, error)
	// HoldingsAt returns the handles of a device whose lease ends after now, in the same order.
	HoldingsAt(device string, now sense.Instant) ([]Holding, error)
	// HoldingsAfter returns at most limit handles of all devices that come after that one, in the same order.
	HoldingsAfter(device string, h wire.Handle, limit int) ([]Holding, error)
	// Forgets returns the forgets of a device that wait for a receipt, in order of handle.
	Forgets(device string) ([]Forget, error)
	// ForgetsDue returns at most limit forgets that were last sent before t, in order of device and handle.
	ForgetsDue(t sense.Instant, limit int) ([]Forget, error)

	// Contacts returns the decisions with an action that were made under the handles of these ids, with
	// their outcomes, in order of device, epoch, n and seq.
	Contacts(ids []string) ([]Contacted, error)
	// Grants returns the budgets granted for the handles of these ids, in order of device, handle, limit and about.
	Grants(ids []string) ([]Grant, error)
	// GrantsOf returns those of one handle, in order of limit and about.
	GrantsOf(device string, h wire.Handle) ([]Grant, error)
	// GrantsAfter returns at most limit grants that come after that one (of which only the key counts), in order of device,
	// handle, limit and about.
	GrantsAfter(g Grant, limit int) ([]Grant, error)
	// Lent returns at most limit handles of a device, in order, that come after that one and have grants which have not ended.
	Lent(device string, after wire.Handle, limit int) ([]wire.Handle, error)
	// Erasure returns an erasure by its id.
	Erasure(id string) (Erasure, bool, error)
	// Erasures returns at most limit erasures whose id comes after that one, in order of id; with open only
	// those that are not done.
	Erasures(after string, open bool, limit int) ([]Erasure, error)

	// Device returns what is known of a device.
	Device(id string) (Device, bool, error)
	// Devices returns at most limit devices with an id after that one, in order of id.
	Devices(after string, limit int) ([]Device, error)
	// Mark returns how far the records of an epoch have come; the zero Mark where there are none.
	Mark(device string, epoch uint64) (Mark, error)
	// Digests returns the digests of the records first..last that are there.
	Digests(device string, epoch, first, last uint64) (map[uint64]Digest, error)
	// Symbols returns the names of a bundle, as a device (or, where empty, the bundle itself) gave them.
	Symbols(b wire.BundleID, device string) (names []string, ok bool, err error)
	// Bundle returns a published bundle by the SHA-256 of its file in hex.
	Bundle(sha256 string) (Bundle, bool, error)
	// Wants returns which bundle is wanted where, in order of Scope.
	Wants() ([]Want, error)
	// Revision returns the highest revision given to a want.
	Revision() (uint64, error)
}

// Tx is an open transaction: Apply's writes are seen by the reads that follow.
type Tx interface {
	View
	Apply([]Write) error
}

// Hash is a keyed hash that stands for something that must not be kept.
type Hash [16]byte

// Digest tells whether two records are the same; the zero Digest says nothing.
type Digest [16]byte

// Merge says that two ids are one customer; Into's name stays.
type Merge struct {
	Into, From string
	Happened   sense.Instant
}

// Entry is one thing known of a customer or an owner (exactly one of the two),
// under the id that it was told for.
type Entry struct {
	Row      int64 // given by the ledger, rising
	ID       string
	Owner    string
	What     string // fact consent objection restrict interaction
	Name     string // of the fact, purpose or kind
	Happened sense.Instant
	Expires  sense.Instant // end of retention; Never where none
	Device   string        // where it was made on a device, else empty
	Handle   wire.Handle   // under which the device told it
	Source   string
	Line     []byte // the event line
	Record   []byte // as the device sent it, for fields that are not known here
}

// Holding is what a device's handle stands for.
type Holding struct {
	Device   string
	Handle   wire.Handle
	ID       string        // as the device knows the customer
	Owners   []event.Owner // what the customer is with there
	Revision uint64        // of the slice last made; 0 for none
	Digest   Digest        // of its content
	Until    sense.Instant // end of the lease; 0 before the first slice
	Items    []uint64      // keyed hashes of the parts of its content, in order: what is not among them is new to the device
}

// Grant is a share of what a limit allows for a customer, leased to a device.
type Grant struct {
	Device               string
	Handle               wire.Handle
	Limit                string // its name
	About                string // of a limit that counts per subject
	Units                int64  // contacts that the device may make beyond Through of Epoch
	Epoch                uint64
	Through              uint64
	Until                sense.Instant // end of the lease
	Free                 sense.Instant // from then on no contact made under it counts any more, whatever is known
	Asked                sense.Instant // the device's clock when it asked for it last; 0 where it does not say
	Ended                bool          // the device makes nothing under it beyond EndThrough of EndEpoch
	EndEpoch, EndThrough uint64
}

// Contacted is a contact with what became of it.
type Contacted struct {
	Decision
	Outcomes []Outcome // in order of Happened
}

// Erasure is what became of a forget, for its receipt: nothing in it leads to the customer.
type Erasure struct {
	ID      string
	IDs     []Hash // of the customer's ids
	At      sense.Instant
	By      string        // the source, operator or device that asked
	Done    sense.Instant // 0 while a device is waited for
	Devices []Erased      // in order of device and handle
}

// Erased is how a handle of an erased customer ended.
type Erased struct {
	Device string
	Handle wire.Handle
	Lease  sense.Instant // end of the lease, after which nothing is usable there
	At     sense.Instant // of the receipt, or Lease where it ended so; 0 while it is waited for
	How    string        // confirmed, lease_ended; empty while it is waited for
}

// Forget waits for a device's receipt.
type Forget struct {
	ID      string
	Device  string
	Handle  wire.Handle
	At      sense.Instant
	Sent    sense.Instant
	Erasure string        // that it is part of; empty where it is of none
	Lease   sense.Instant // end of the lease that the handle had
}

// Device is what the hub knows of a device.
type Device struct {
	ID       string
	Online   bool
	Boot     uint64
	Counter  uint64 // connect counter
	Ahead    uint64 // highest connect counter of a life before it, where a store was put back and counts anew from below; 0 for none
	Since    sense.Instant
	Epoch    uint64
	Birth    wire.Birth
	Reported wire.Reported
	Want     uint64 // revision of the want last published for it; 0 for none
	Wanted   string // what it wants: SHA-256 of the bundle
	Leave    uint64 // epoch that it was told to leave, and has not left yet; Epoch is 0 meanwhile
	Lives    []Life // the last that it had, newest last
}

// Mark is how far an epoch's records are here: 1..Through, and Ranges beyond, in
// order and apart.
type Mark struct {
	Device  string
	Epoch   uint64
	Through uint64
	Ranges  []wire.Range
	Missing []wire.Range // passed over: the device no longer had them, and they were not here
	Moved   []wire.Range // came within another epoch, as wire.Moved; in order and apart
	Twins   []Life       // two lives of the device that spoke in turn under its one identity; none where that was not seen
}

// Life is one run of a device's program over one log.
type Life struct {
	Epoch uint64
	Boot  uint64
}

// Record is one record of a device's log. Body is empty for a personal record:
// what it says is an Entry, so that it can be erased. A record that was moved from
// an epoch left is of the kind that it was there, and its Body is the wire.Moved as
// it came; one that had come before is of KindMoved, without Body.
type Record struct {
	Device string
	Epoch  uint64
	Seq    uint64
	Kind   wire.Kind
	At     sense.Instant // of the record, else when it came
	Handle wire.Handle
	Bundle wire.BundleID // whose symbols it uses
	Digest Digest
	Body   []byte
}

// Decision is the index entry of a decision record.
type Decision struct {
	Device string
	Epoch  uint64 // in which it was made
	N      uint64
	Seq    uint64 // of its record; from Elsewhere on where that is in another epoch
	At     sense.Instant
	Handle wire.Handle
	// What a contact is, for limits and pauses everywhere; Action is empty for silence, the last four where the
	// bundle of the record is not here.
	Action, Slot                  string
	Intent, Group, About, Channel string
}

// Elsewhere is the first of the numbers that index decisions whose record was moved
// out of their epoch: no record has such a number of its own.
const Elsewhere = 1 << 63

// Outcome is what became of a decision, or that a contact was answered elsewhere
// (Answered: by an interaction that names the decision as its ref).
type Outcome struct {
	Device   string // of the decision
	Epoch    uint64
	N        uint64
	Outcome  string
	Happened sense.Instant
	By       string // who says so: DEVICE-EPOCH-SEQ of the record, or the hash of the event
}

// Answered is the outcome that the hub notes itself: an interaction in any
// channel referred to the decision.
const Answered = "answered"

// Bundle is a published bundle, with its signature file.
type Bundle struct {
	SHA256    string
	Name      string
	Version   int64
	File      []byte
	Signature []byte
	At        sense.Instant
}

// SymbolPart is a run of the names of a bundle's symbol table.
type SymbolPart struct {
	Bundle wire.BundleID
	Device string // who said so; empty: made from the bundle itself
	From   uint32
	Of     uint32
	Names  []string
}

// Want says which bundle is wanted in a scope: "" the tenant, "g/GROUP", "d/DEVICE".
type Want struct {
	Scope  string
	SHA256 string
	At     sense.Instant
}

// Write is one change of the ledger.
type Write interface{ write() }

type (
	PutPerson    struct{ ID, Person string }
	DropPerson   struct{ ID string }
	PutMerge     struct{ Merge }
	DropMerge    struct{ Into, From string }
	PutTaken     struct{ Key Hash }
	AddEntry     struct{ Entry }        // Row is ignored
	DropEntries  struct{ Rows []int64 } //
	DropID       struct{ ID string }    // every entry under the id
	SetRetention struct {               // of all entries of a name
		What, Name string
		Keep       sense.Duration
	}
	PutErased struct {
		ID Hash
		At sense.Instant
	}
	DropErased  struct{ ID Hash }
	PutHolding  struct{ Holding }
	DropHolding struct { // and the digests of the handle's personal records
		Device string
		Handle wire.Handle
	}
	PutForget  struct{ Forget }
	DropForget struct {
		Device string
		Handle wire.Handle
	}
	PutGrant  struct{ Grant } // in place of one of the same device, handle, limit and about
	DropGrant struct {
		Device       string
		Handle       wire.Handle
		Limit, About string
	}
	PutErasure  struct{ Erasure }
	PutDevice   struct{ Device }
	PutMark     struct{ Mark }
	AddRecords  struct{ Records []Record } // those that are there stay as they are
	AddDecision struct{ Decision }
	AddOutcome  struct{ Outcome } // the same outcome by the same source once
	PutBundle   struct{ Bundle }
	PutSymbols  struct{ SymbolPart }
	PutWant     struct{ Want }
	PutRevision struct{ Revision uint64 }
)

func (PutPerson) write()    {}
func (DropPerson) write()   {}
func (PutMerge) write()     {}
func (DropMerge) write()    {}
func (PutTaken) write()     {}
func (AddEntry) write()     {}
func (DropEntries) write()  {}
func (DropID) write()       {}
func (SetRetention) write() {}
func (PutErased) write()    {}
func (DropErased) write()   {}
func (PutHolding) write()   {}
func (DropHolding) write()  {}
func (PutForget) write()    {}
func (DropForget) write()   {}
func (PutGrant) write()     {}
func (DropGrant) write()    {}
func (PutErasure) write()   {}
func (PutDevice) write()    {}
func (PutMark) write()      {}
func (AddRecords) write()   {}
func (AddDecision) write()  {}
func (AddOutcome) write()   {}
func (PutBundle) write()    {}
func (PutSymbols) write()   {}
func (PutWant) write()      {}
func (PutRevision) write()  {}
