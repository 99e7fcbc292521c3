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
	db      *database
	keys    *Keys
	sealKey [keySize]byte // of what is no customer's
	hashKey []byte
	head    head
	loaded  engine.Snapshot
	parts   map[string][32]byte // what is stored of the head's lists, by hash
	written []written           // what is stored of customers, in order of handle
	spare   []written           // buffer of the next comparison
	unread  [][]byte            // keys of the entries that could not be read
}

// written is what state.db has of a customer.
type written struct {
	handle  engine.Handle
	changed uint64
	key     [32]byte // of the entry
}

func openState(path string, o Options, f *flash, keys *Keys) (s *State, err error) {
	db, err := openDB(path, o.MaxState, f.adder(StateFile), o.Crash)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.close())
		}
	}()
	s = &State{db: db, keys: keys, parts: map[string][32]byte{}}
	sealKey, err := hkdf.Key(sha256.New, o.DeviceKey[:], nil, "tact state seal 1", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive state key: %w", err)
	}
	s.sealKey = [keySize]byte(sealKey)
	if s.hashKey, err = hkdf.Key(sha256.New, o.DeviceKey[:], nil, "tact state hash 1", keySize); err != nil {
		return nil, fmt.Errorf("derive state key: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if s.head.secret == ([16]byte{}) {
		// What is derived from the secret may leave before the first Save.
		rand.Read(s.head.secret[:])
		if err := s.db.update(func(tx *bolt.Tx) error { return s.put(tx, &s.head, &changes{}) }); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	return s, nil
}

// load reads everything. A customer whose key is gone or whose entry cannot be
// read is left out, and written off with the next Save.
func (s *State) load() error {
	return s.db.view(func(tx *bolt.Tx) error {
		state, customers := tx.Bucket(bucketState), tx.Bucket(bucketCustomers)
		if state == nil || customers == nil {
			return nil
		}
		if err := s.loadHead(state); err != nil {
			return err
		}
		err := customers.ForEach(func(k, v []byte) error {
			c, err := s.readEntry(v)
			if err != nil || len(k) != 32 {
				s.unread = append(s.unread, bytes.Clone(k))
				return nil
			}
			s.head.snap.Customers = append(s.head.snap.Customers, c)
			s.written = append(s.written, written{c.Handle, c.Changed, [32]byte(k)})
			return nil
		})
		list := s.head.snap.Customers
		sort.Slice(list, func(a, b int) bool { return bytes.Compare(list[a].Handle[:], list[b].Handle[:]) < 0 })
		sort.Slice(s.written, func(a, b int) bool { return bytes.Compare(s.written[a].handle[:], s.written[b].handle[:]) < 0 })
		s.loaded, s.head.snap = s.head.snap, engine.Snapshot{}
		return err
	})
}

func (s *State) loadHead(state *bolt.Bucket) error {
	plain, err := open(s.sealKey, []byte(aboutState), state.Get(keyHead))
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	apart := false
	if s.head, apart, err = readHead(plain); err != nil || !apart {
		return err
	}
	for k := range parts {
		p := &parts[k]
		sealed := state.Get([]byte(p.name))
		if sealed == nil {
			continue
		}
		plain, err := open(s.sealKey, p.about(), sealed)
		if err == nil {
			err = p.decode(plain, &s.head.snap)
		}
		if err != nil {
			return fmt.Errorf("state, %s: %w", p.name, err)
		}
		s.parts[p.name] = sha256.Sum256(plain)
	}
	return nil
}

func (p *part) about() []byte { return []byte(aboutState + " " + p.name) }

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
	return s.loaded, s.head.epoch, len(s.unread)
}

// Save writes a snapshot in one durable transaction: those customers and lists
// that have changed since they were written, and the head. Keys are made for the
// customers that are new. Where the file has become much larger than what is in
// it, it is compacted, see Outbox.Compact.
func (s *State) Save(epoch uint64, floor sense.Instant, snap engine.Snapshot) error {
	c := s.compare(snap.Customers)
	handles := make([]engine.Handle, len(c.put))
	for k, p := range c.put {
		handles[k] = p.Handle
	}
	if err := s.keys.Make(handles...); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	h := head{epoch: epoch, secret: s.head.secret, floor: floor, snap: snap}
	h.snap.Customers = nil
	if err := s.db.update(func(tx *bolt.Tx) error { return s.put(tx, &h, c) }); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	for name, sum := range c.parts {
		s.parts[name] = sum
	}
	h.snap = engine.Snapshot{}
	s.spare = s.written
	s.head, s.written, s.unread = h, c.written, nil
	s.loaded = engine.Snapshot{}
	_ = s.db.compact() // what was saved is saved: it is tried again another time
	return nil
}

// changes are what a snapshot has that state.db has not, and the other way round.
type changes struct {
	put     []*engine.CustomerState
	gone    [][]byte // keys of entries
	written []written
	parts   map[string][32]byte
}

// compare walks the customers and what was written of them side by side.
func (s *State) compare(customers []engine.CustomerState) *changes {
	byHandle := func(a, b int) bool { return bytes.Compare(customers[a].Handle[:], customers[b].Handle[:]) < 0 }
	if !sort.SliceIsSorted(customers, byHandle) {
		customers = slices.Clone(customers)
		sort.Slice(customers, byHandle)
	}
	c := &changes{gone: s.unread, written: slices.Grow(s.spare[:0], len(customers))}
	old := s.written
	for k := range customers {
		x := &customers[k]
		for len(old) > 0 && bytes.Compare(old[0].handle[:], x.Handle[:]) < 0 {
			c.gone = append(c.gone, bytes.Clone(old[0].key[:]))
			old = old[1:]
		}
		if len(old) > 0 && old[0].handle == x.Handle {
			if old[0].changed == x.Changed {
				c.written, old = append(c.written, old[0]), old[1:]
				continue
			}
			if key := s.entryKey(x); key != old[0].key {
				c.gone = append(c.gone, bytes.Clone(old[0].key[:]))
			}
			old = old[1:]
		}
		c.put = append(c.put, x)
		c.written = append(c.written, written{x.Handle, x.Changed, s.entryKey(x)})
	}
	for _, w := range old {
		c.gone = append(c.gone, bytes.Clone(w.key[:]))
	}
	return c
}

func (s *State) put(tx *bolt.Tx, h *head, c *changes) error {
	state, err := tx.CreateBucketIfNotExists(bucketState)
	if err != nil {
		return err
	}
	customers, err := tx.CreateBucketIfNotExists(bucketCustomers)
	if err != nil {
		return err
	}
	for _, k := range c.gone {
		if err := customers.Delete(k); err != nil {
			return err
		}
	}
	for _, x := range c.put {
		v, err := s.entry(x, h.snap.At)
		if err != nil {
			return err
		}
		key := s.entryKey(x)
		if err := customers.Put(key[:], v); err != nil {
			return err
		}
	}
	c.parts = map[string][32]byte{}
	for k := range parts {
		p := &parts[k]
		plain := p.encode(&h.snap)
		sum := sha256.Sum256(plain)
		if s.parts[p.name] == sum {
			continue
		}
		if err := state.Put([]byte(p.name), seal(s.sealKey, p.about(), plain)); err != nil {
			return err
		}
		c.parts[p.name] = sum
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
	size, _, _ := s.db.size()
	return size
}

func (s *State) close() error { return s.db.close() }
