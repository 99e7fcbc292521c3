package outbox

import "errors"

var (
	// ErrFull says that nothing was written, for want of room. A Disk returns it
	// (wrapped) where its own bound is reached.
	ErrFull = errors.New("outbox is full")
	// ErrBroken says that a write failed with unknown end. Reopen, and read
	// from the applied mark to learn what is there.
	ErrBroken = errors.New("outbox must be opened again")
	// ErrDamaged says that the disk holds no sound queue. Set it aside and begin a
	// new one with a new epoch.
	ErrDamaged = errors.New("outbox is damaged")
	// ErrEpoch says that an acknowledgement is for another epoch.
	ErrEpoch = errors.New("other epoch")
	// ErrAhead says that an acknowledgement is for numbers that were never given.
	ErrAhead = errors.New("acknowledged what was never written")
)

// Meta is what the disk keeps beside the entries. The zero Meta is that of an
// empty disk.
type Meta struct {
	Epoch uint64
	First uint64 // lowest number that was not dropped; Next where nothing is held
	Next  uint64 // number of the next record
}

// Entry is one stored record. Value begins with a version byte.
type Entry struct {
	Seq   uint64
	Value []byte
}

// Write is one transaction: put the entries (a number that is there already is
// replaced), put those of Aside into quarantine, delete every entry below
// Meta.First, and store Meta.
type Write struct {
	Meta  Meta
	Put   []Entry
	Aside []Entry // kept apart, at most a few hundred, the oldest go first
}

// Disk is the port to the store; agent/store implements it, Memory does for
// tests and the simulator.
type Disk interface {
	// Load returns Meta and visits each entry in order of number. The value is valid during the visit only.
	Load(visit func(seq uint64, value []byte)) (Meta, error)
	// Commit performs w whole and durably. An error that wraps ErrFull means that
	// nothing was written; after any other error it is not known.
	Commit(w Write) error
	// Read visits the entries from a number on, in order, until visit returns
	// false. The value is valid during the visit only, and visit calls nothing of the Disk. It may run beside a
	// Commit, and then sees all of it or nothing; other calls come one at a time.
	Read(from uint64, visit func(seq uint64, value []byte) bool) error
}

// Compacter is a Disk that can give room back to the system. Compact is called
// in an idle moment, with the queue held still, and decides by itself whether
// there is enough to gain; it must be short. After an error the Disk is as it was.
type Compacter interface {
	Compact() error
}
