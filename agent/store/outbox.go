package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"

	"github.com/tact-edge/tact/sync/outbox"
)

var (
	bucketOut   = []byte("out")   // number, 8 bytes big endian -> value
	bucketAside = []byte("aside") // the same, for people
	bucketMeta  = []byte("meta")
	keyMeta     = []byte("meta")
)

const (
	metaVersion = 1
	metaSize    = 1 + 3*8
	maxAside    = 256
	fill        = 0.95 // numbers only grow: pages are filled from the left
)

// Outbox is the disk of the outbox. It implements outbox.Disk.
type Outbox struct {
	db   *bolt.DB
	meta outbox.Meta // as stored
}

var _ outbox.Disk = (*Outbox)(nil)

func openOutbox(path string, maxSize int64) (o *Outbox, err error) {
	db, err := openDB(path, maxSize)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeDB(db))
		}
	}()
	o = &Outbox{db: db}
	if err := o.makeBuckets(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// The whole queue is looked at once, so that damage is met now and here.
	if _, err := o.Load(func(uint64, []byte) {}); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return o, nil
}

func (o *Outbox) makeBuckets() error {
	there := false
	err := o.db.View(func(tx *bolt.Tx) error {
		there = tx.Bucket(bucketOut) != nil && tx.Bucket(bucketAside) != nil && tx.Bucket(bucketMeta) != nil
		return nil
	})
	if err != nil || there {
		return err
	}
	return o.update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketOut, bucketAside, bucketMeta} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// update is one durable transaction. What goes wrong before the commit, or for
// want of room, has written nothing.
func (o *Outbox) update(change func(tx *bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	err = full(o.db.Update(change))
	if errors.Is(err, ErrFull) {
		err = fmt.Errorf("%w: %w", outbox.ErrFull, err)
	}
	return err
}

// Load implements outbox.Disk.
func (o *Outbox) Load(visit func(seq uint64, value []byte)) (meta outbox.Meta, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	err = o.db.View(func(tx *bolt.Tx) error {
		raw := tx.Bucket(bucketMeta).Get(keyMeta)
		if raw != nil {
			if len(raw) < metaSize || raw[0] != metaVersion {
				return fmt.Errorf("outbox meta of %d bytes: %w", len(raw), ErrDamaged)
			}
			meta.Epoch = binary.BigEndian.Uint64(raw[1:])
			meta.First = binary.BigEndian.Uint64(raw[9:])
			meta.Next = binary.BigEndian.Uint64(raw[17:])
		}
		return tx.Bucket(bucketOut).ForEach(func(k, v []byte) error {
			if len(k) != 8 {
				return fmt.Errorf("outbox key of %d bytes: %w", len(k), ErrDamaged)
			}
			visit(binary.BigEndian.Uint64(k), v)
			return nil
		})
	})
	o.meta = meta
	return meta, err
}

// Commit implements outbox.Disk.
func (o *Outbox) Commit(w outbox.Write) error {
	err := o.update(func(tx *bolt.Tx) error {
		out := tx.Bucket(bucketOut)
		out.FillPercent = fill
		for s := o.meta.First; s < w.Meta.First && s < o.meta.Next; s++ {
			if err := out.Delete(seqKey(s)); err != nil {
				return err
			}
		}
		for _, e := range w.Put {
			if err := out.Put(seqKey(e.Seq), e.Value); err != nil {
				return err
			}
		}
		if err := putAside(tx.Bucket(bucketAside), w.Aside); err != nil {
			return err
		}
		return tx.Bucket(bucketMeta).Put(keyMeta, encodeMeta(w.Meta))
	})
	if err != nil {
		return fmt.Errorf("commit outbox: %w", err)
	}
	o.meta = w.Meta
	return nil
}

// putAside keeps entries for people, and only the newest maxAside.
func putAside(b *bolt.Bucket, entries []outbox.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		if err := b.Put(seqKey(e.Seq), e.Value); err != nil {
			return err
		}
	}
	var keys [][]byte
	if err := b.ForEach(func(k, _ []byte) error {
		keys = append(keys, bytes.Clone(k))
		return nil
	}); err != nil {
		return err
	}
	for _, k := range keys[:max(0, len(keys)-maxAside)] {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Read implements outbox.Disk.
func (o *Outbox) Read(from uint64, visit func(seq uint64, value []byte) bool) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	return o.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketOut).Cursor()
		for k, v := c.Seek(seqKey(from)); k != nil; k, v = c.Next() {
			if !visit(binary.BigEndian.Uint64(k), v) {
				return nil
			}
		}
		return nil
	})
}

// Size returns the size of the file in bytes.
func (o *Outbox) Size() int64 {
	size := int64(0)
	_ = o.db.View(func(tx *bolt.Tx) error { size = tx.Size(); return nil })
	return size
}

func (o *Outbox) close() error { return closeDB(o.db) }

func seqKey(seq uint64) []byte {
	var k [8]byte
	binary.BigEndian.PutUint64(k[:], seq)
	return k[:]
}

func encodeMeta(m outbox.Meta) []byte {
	b := make([]byte, 0, metaSize)
	b = append(b, metaVersion)
	b = binary.BigEndian.AppendUint64(b, m.Epoch)
	b = binary.BigEndian.AppendUint64(b, m.First)
	return binary.BigEndian.AppendUint64(b, m.Next)
}
