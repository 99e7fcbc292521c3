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
	bucketOut   = []byte("out")   // number, 8 bytes big endian -> value or block
	bucketAside = []byte("aside") // the same, for people
	bucketMeta  = []byte("meta")
	keyMeta     = []byte("meta")
)

const (
	metaVersion = 1
	metaSize    = 1 + 3*8
	maxAside    = 256
	fill        = 1.0 // numbers only grow: pages are filled from the left
)

// Outbox is the disk of the outbox. It implements outbox.Disk.
type Outbox struct {
	db   *bolt.DB
	meta outbox.Meta // as stored

	blocks []byte // buffer of the next commit
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
			seq, err := seqOf(k)
			if err == nil {
				_, err = readBlock(seq, v, meta.First, func(seq uint64, value []byte) bool {
					visit(seq, value)
					return true
				})
			}
			return err
		})
	})
	o.meta = meta
	return meta, err
}

// Commit implements outbox.Disk.
func (o *Outbox) Commit(w outbox.Write) error {
	err := o.update(func(tx *bolt.Tx) error {
		growBy(o.db, tx.Size())
		out := tx.Bucket(bucketOut)
		out.FillPercent = fill
		if err := dropBelow(out, w.Meta.First); err != nil {
			return err
		}
		if err := o.putEntries(out, w.Put); err != nil {
			return err
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

// dropBelow deletes the values that hold nothing from a number on.
func dropBelow(out *bolt.Bucket, first uint64) error {
	c := out.Cursor()
	for k, v := c.First(); k != nil; k, v = c.First() {
		seq, err := seqOf(k)
		if err != nil || seq >= first {
			return err
		}
		n, err := blockLen(v)
		if err != nil || seq+n > first {
			return err
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// putEntries stores what is new in blocks, and puts the others in their places.
func (o *Outbox) putEntries(out *bolt.Bucket, entries []outbox.Entry) error {
	for len(entries) > 0 && entries[0].Seq < o.meta.Next {
		if err := replaceEntry(out, entries[0]); err != nil {
			return err
		}
		entries = entries[1:]
	}
	o.blocks = o.blocks[:0]
	for len(entries) > 0 {
		at := len(o.blocks)
		blocks, n := appendBlock(o.blocks, entries)
		o.blocks = blocks
		if err := out.Put(seqKey(entries[0].Seq), blocks[at:len(blocks):len(blocks)]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	if cap(o.blocks) > 1<<20 {
		o.blocks = nil
	}
	return nil
}

// replaceEntry puts another value in the place of an entry.
func replaceEntry(out *bolt.Bucket, e outbox.Entry) error {
	k, v := seekBlock(out.Cursor(), e.Seq)
	first, err := seqOf(k)
	if err != nil {
		return err
	}
	var all []outbox.Entry
	there := false
	_, err = readBlock(first, v, 0, func(seq uint64, value []byte) bool {
		if seq == e.Seq {
			value, there = e.Value, true
		}
		all = append(all, outbox.Entry{Seq: seq, Value: value})
		return true
	})
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("replace entry %d, which is not there: %w", e.Seq, ErrDamaged)
	}
	for len(all) > 0 { // one block becomes two where the new value is longer
		block, n := appendBlock(nil, all)
		if err := out.Put(seqKey(all[0].Seq), block); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// seekBlock finds the value that holds a number, or the first one above it.
func seekBlock(c *bolt.Cursor, seq uint64) (k, v []byte) {
	k, v = c.Seek(seqKey(seq))
	if k != nil && bytes.Equal(k, seqKey(seq)) {
		return k, v
	}
	pk, pv := c.Prev()
	if k == nil {
		pk, pv = c.Last()
	}
	if first, err := seqOf(pk); err == nil && pk != nil {
		if n, err := blockLen(pv); err == nil && first+n > seq {
			return pk, pv
		}
	}
	return c.Seek(seqKey(seq))
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
		for k, v := seekBlock(c, from); k != nil; k, v = c.Next() {
			seq, err := seqOf(k)
			if err != nil {
				return err
			}
			if more, err := readBlock(seq, v, from, visit); err != nil || !more {
				return err
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

func seqOf(k []byte) (uint64, error) {
	if len(k) != 8 {
		return 0, fmt.Errorf("outbox key of %d bytes: %w", len(k), ErrDamaged)
	}
	return binary.BigEndian.Uint64(k), nil
}

func encodeMeta(m outbox.Meta) []byte {
	b := make([]byte, 0, metaSize)
	b = append(b, metaVersion)
	b = binary.BigEndian.AppendUint64(b, m.Epoch)
	b = binary.BigEndian.AppendUint64(b, m.First)
	return binary.BigEndian.AppendUint64(b, m.Next)
}
