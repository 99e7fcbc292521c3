package store

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

var (
	bucketState     = []byte("state")
	bucketCustomers = []byte("customers")
	keyHead         = []byte("head")
)

const (
	entryVersion = 1
	entryHead    = 1 + 16 + 8 + 8 // version, handle, end of the lease, last written
	aboutSlice   = "slice"
	aboutState   = "tact state 1"
)

// State is the durable state of the mind, a cache of the log of record.
type State struct {
	db      *bolt.DB
	keys    *Keys
	sealKey [keySize]byte // of the head: no customer's
	hashKey []byte
	head    head
	loaded  engine.Snapshot
	dropped int // customers that could not be read
	written map[engine.Handle]written
}

// written is what state.db has of a customer.
type written struct {
	changed uint64
	key     [32]byte // of the entry
}

func openState(path string, maxSize int64, device [keySize]byte, keys *Keys) (s *State, err error) {
	db, err := openDB(path, maxSize)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeDB(db))
		}
	}()
	s = &State{db: db, keys: keys, written: map[engine.Handle]written{}}
	sealKey, err := hkdf.Key(sha256.New, device[:], nil, "tact state seal 1", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive state key: %w", err)
	}
	s.sealKey = [keySize]byte(sealKey)
	if s.hashKey, err = hkdf.Key(sha256.New, device[:], nil, "tact state hash 1", keySize); err != nil {
		return nil, fmt.Errorf("derive state key: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if s.head.secret == ([16]byte{}) {
		// What is derived from the secret may leave before the first Save.
		rand.Read(s.head.secret[:])
		if err := s.update(func(tx *bolt.Tx) error { return s.put(tx, &s.head, engine.Snapshot{}, map[engine.Handle]written{}) }); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	return s, nil
}

// load reads everything. A customer whose key is gone or whose entry cannot be
// read is left out, and written off with the next Save.
func (s *State) load() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	return s.db.View(func(tx *bolt.Tx) error {
		state, customers := tx.Bucket(bucketState), tx.Bucket(bucketCustomers)
		if state == nil || customers == nil {
			return nil
		}
		plain, err := open(s.sealKey, []byte(aboutState), state.Get(keyHead))
		if err != nil {
			return fmt.Errorf("state: %w", err)
		}
		if s.head, err = readHead(plain); err != nil {
			return err
		}
		err = customers.ForEach(func(k, v []byte) error {
			c, err := s.readEntry(v)
			if err != nil || len(k) != 32 {
				s.dropped++
				return nil
			}
			s.head.snap.Customers = append(s.head.snap.Customers, c)
			s.written[c.Handle] = written{c.Changed, [32]byte(k)}
			return nil
		})
		list := s.head.snap.Customers
		sort.Slice(list, func(a, b int) bool { return bytes.Compare(list[a].Handle[:], list[b].Handle[:]) < 0 })
		s.loaded, s.head.snap.Customers = s.head.snap, nil
		return err
	})
}

func (s *State) readEntry(v []byte) (engine.CustomerState, error) {
	if len(v) < entryHead || v[0] != entryVersion {
		return engine.CustomerState{}, fmt.Errorf("customer entry of %d bytes: %w", len(v), ErrDamaged)
	}
	plain, err := s.keys.Open(engine.Handle(v[1:17]), aboutSlice, v[entryHead:])
	if err != nil {
		return engine.CustomerState{}, err
	}
	c, err := readCustomer(plain)
	if err == nil && c.Handle != engine.Handle(v[1:17]) {
		err = fmt.Errorf("customer entry of another handle: %w", ErrDamaged)
	}
	return c, err
}

// Secret returns the 16 bytes that were drawn for this device. They are drawn
// anew where the state was lost, so that no handle is given twice.
func (s *State) Secret() [16]byte { return s.head.secret }

// Floor returns the instant that the last Save was given, before which it certainly is not; 0 for none.
func (s *State) Floor() sense.Instant { return s.head.floor }

// Load returns the snapshot of the last Save with the epoch that its numbers are
// of (0 where nothing was saved), and how many customers could not be read.
func (s *State) Load() (snap engine.Snapshot, epoch uint64, unread int) {
	return s.loaded, s.head.epoch, s.dropped
}

// Save writes a snapshot in one durable transaction: the head, and those
// customers that have changed since they were written. Keys are made for the
// customers that have none.
func (s *State) Save(epoch uint64, floor sense.Instant, snap engine.Snapshot) error {
	handles := make([]engine.Handle, len(snap.Customers))
	for k := range snap.Customers {
		handles[k] = snap.Customers[k].Handle
	}
	if err := s.keys.Make(handles...); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	h := head{epoch: epoch, secret: s.head.secret, floor: floor, snap: snap}
	h.snap.Customers = nil
	now := make(map[engine.Handle]written, len(snap.Customers))
	if err := s.update(func(tx *bolt.Tx) error { return s.put(tx, &h, snap, now) }); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	s.head, s.written, s.dropped = h, now, 0
	s.loaded = engine.Snapshot{}
	return nil
}

func (s *State) update(change func(tx *bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	return full(s.db.Update(change))
}

func (s *State) put(tx *bolt.Tx, h *head, snap engine.Snapshot, now map[engine.Handle]written) error {
	state, err := tx.CreateBucketIfNotExists(bucketState)
	if err != nil {
		return err
	}
	customers, err := tx.CreateBucketIfNotExists(bucketCustomers)
	if err != nil {
		return err
	}
	live := make(map[[32]byte]bool, len(snap.Customers))
	for k := range snap.Customers {
		c := &snap.Customers[k]
		w := written{c.Changed, s.entryKey(c)}
		now[c.Handle], live[w.key] = w, true
		if s.written[c.Handle] == w {
			continue
		}
		v, err := s.entry(c, snap.At)
		if err != nil {
			return err
		}
		if err := customers.Put(w.key[:], v); err != nil {
			return err
		}
	}
	var gone [][]byte
	if err := customers.ForEach(func(k, _ []byte) error {
		if len(k) != 32 || !live[[32]byte(k)] {
			gone = append(gone, slices.Clone(k))
		}
		return nil
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := customers.Delete(k); err != nil {
			return err
		}
	}
	return state.Put(keyHead, seal(s.sealKey, []byte(aboutState), appendHead(nil, h)))
}

// entryKey is the keyed hash of the customer: who looks at the file cannot look
// for somebody. The handle is part of it, since two handles may be one person
// until the hub has said so.
func (s *State) entryKey(c *engine.CustomerState) [32]byte {
	m := hmac.New(sha256.New, s.hashKey)
	m.Write(c.Handle[:])
	m.Write([]byte(c.Customer))
	return [32]byte(m.Sum(nil))
}

func (s *State) entry(c *engine.CustomerState, at sense.Instant) ([]byte, error) {
	sealed, err := s.keys.Seal(c.Handle, aboutSlice, appendCustomer(nil, c))
	if err != nil {
		return nil, err
	}
	v := make([]byte, 0, entryHead+len(sealed))
	v = append(append(v, entryVersion), c.Handle[:]...)
	v = binary.BigEndian.AppendUint64(v, uint64(c.Until))
	v = binary.BigEndian.AppendUint64(v, uint64(at))
	return append(v, sealed...), nil
}

// Size returns the size of the file in bytes.
func (s *State) Size() int64 {
	size := int64(0)
	_ = s.db.View(func(tx *bolt.Tx) error { size = tx.Size(); return nil })
	return size
}

func (s *State) close() error { return closeDB(s.db) }
