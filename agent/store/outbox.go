package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tact-edge/tact/sync/outbox"
)

var (
	bucketOut   = []byte("out")   // number, 8 bytes big endian -> value or block
	bucketAside = []byte("aside") // the same, for people
	bucketMeta  = []byte("meta")
	keyMeta     = []byte("meta")
	keyTail     = []byte("tail") // the newest entries: number of the first, and value or block
)

const (
	metaVersion = 2
	metaSize1   = 1 + 3*8 // of version 1
	metaSize2   = 1 + 5*8
	maxAside    = 256
	tailMax     = 2016 // bytes of the newest entries that stand beside the meta
	fill        = 1.0  // numbers only grow: pages are filled from the left
)

// Outbox is the disk of the outbox. It implements outbox.Disk.
type Outbox struct {
	db    *database
	meta  outbox.Meta // as stored
	flash *flash

	blocks []byte // buffers of the next commit
	tail   []outbox.Entry
}

var (
	_ outbox.Disk      = (*Outbox)(nil)
	_ outbox.Compacter = (*Outbox)(nil)
)

func openOutbox(path string, maxSize int64, f *flash, crash func(string)) (o *Outbox, err error) {
	db, err := openDB(path, maxSize, f.adder(OutboxFile), crash)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.close())
		}
	}()
	o = &Outbox{db: db, flash: f}
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
	err := o.db.view(func(tx *bolt.Tx) error {
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

// update is one durable transaction; for want of room it has written nothing.
func (o *Outbox) update(change func(tx *bolt.Tx) error) error {
	err := o.db.update(change)
	if !errors.Is(err, ErrFull) {
		return err
	}
	// Where the room ended in the very last write it may be there all the same.
	meta, _, _, bad := o.readMeta()
	if bad != nil || meta != o.meta {
		return fmt.Errorf("not known whether it was written: %v", errors.Join(err, bad))
	}
	return fmt.Errorf("%w: %w", outbox.ErrFull, err)
}

func (o *Outbox) readMeta() (meta outbox.Meta, day, today int64, err error) {
	err = o.db.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketMeta)
		if b == nil {
			return nil
		}
		meta, day, today, err = decodeMeta(b.Get(keyMeta))
		return err
	})
	return meta, day, today, err
}

// Load implements outbox.Disk.
func (o *Outbox) Load(visit func(seq uint64, value []byte)) (outbox.Meta, error) {
	meta, _, _, err := o.readMeta()
	if err != nil {
		return meta, err
	}
	err = o.db.view(func(tx *bolt.Tx) error {
		return readAll(tx, meta.First, func(seq uint64, value []byte) bool {
			visit(seq, value)
			return true
		})
	})
	o.meta = meta
	return meta, err
}

// Commit implements outbox.Disk.
func (o *Outbox) Commit(w outbox.Write) error {
	err := o.update(func(tx *bolt.Tx) error {
		if err := o.putEntries(tx, w); err != nil {
			return err
		}
		if err := putAside(tx.Bucket(bucketAside), w.Aside); err != nil {
			return err
		}
		day, today := o.flash.kept()
		return tx.Bucket(bucketMeta).Put(keyMeta, encodeMeta(w.Meta, day, today))
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

// putEntries stores the entries of a write, and drops what is below its First.
//
// The newest entries, while they are few, stand in one value beside the meta:
// then a commit of one record writes two or three pages, and not every page from
// the end of the queue to its root. When they are too many they go to the queue.
func (o *Outbox) putEntries(tx *bolt.Tx, w outbox.Write) error {
	out, meta := tx.Bucket(bucketOut), tx.Bucket(bucketMeta)
	out.FillPercent = fill
	tail, err := readTail(meta, w.Meta.First, o.tail[:0])
	if err != nil {
		return err
	}
	defer func() { clear(tail); o.tail = tail[:0] }()
	if err := dropBelow(out, w.Meta.First); err != nil {
		return err
	}
	size := 0
	for _, e := range w.Put {
		k := 0
		for k < len(tail) && tail[k].Seq != e.Seq {
			k++
		}
		switch {
		case e.Seq >= o.meta.Next:
			tail = append(tail, e)
		case k < len(tail):
			tail[k].Value = e.Value
		default:
			if err := replaceEntry(out, e); err != nil {
				return err
			}
		}
	}
	for _, e := range tail {
		size += 2 + len(e.Value)
	}
	if size > tailMax {
		if err := o.putBlocks(out, tail); err != nil {
			return err
		}
		return o.putTail(meta, nil)
	}
	return o.putTail(meta, tail)
}

// putBlocks stores entries, which are consecutive and behind all others.
func (o *Outbox) putBlocks(out *bolt.Bucket, entries []outbox.Entry) error {
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

func (o *Outbox) putTail(meta *bolt.Bucket, tail []outbox.Entry) error {
	if len(tail) == 0 {
		return meta.Delete(keyTail)
	}
	value, _ := appendBlock(binary.BigEndian.AppendUint64(nil, tail[0].Seq), tail)
	return meta.Put(keyTail, value)
}

// readTail returns the newest entries from a number on, as far as they stand
// beside the meta, behind those in tail. Their values are valid within the transaction.
func readTail(meta *bolt.Bucket, from uint64, tail []outbox.Entry) ([]outbox.Entry, error) {
	raw := meta.Get(keyTail)
	if raw == nil {
		return tail, nil
	}
	first, err := seqOf(raw[:min(8, len(raw))])
	if err != nil {
		return nil, err
	}
	_, err = readBlock(first, raw[8:], from, func(seq uint64, value []byte) bool {
		tail = append(tail, outbox.Entry{Seq: seq, Value: value})
		return true
	})
	return tail, err
}

// readAll visits the entries from a number on, until visit returns false.
func readAll(tx *bolt.Tx, from uint64, visit func(seq uint64, value []byte) bool) error {
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
	tail, err := readTail(tx.Bucket(bucketMeta), from, nil)
	for _, e := range tail {
		if !visit(e.Seq, e.Value) {
			break
		}
	}
	return err
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
func (o *Outbox) Read(from uint64, visit func(seq uint64, value []byte) bool) error {
	return o.db.view(func(tx *bolt.Tx) error {
		meta, _, _, err := decodeMeta(tx.Bucket(bucketMeta).Get(keyMeta)) // of this look: a Commit may run beside it
		if err != nil {
			return err
		}
		return readAll(tx, max(from, meta.First), visit) // a block may begin with what was dropped
	})
}

// Compact implements outbox.Compacter. While it copies, at most 8 MiB, nothing is
// appended: about 60 ms on a fast disk, half a second on a card that writes 20 MB/s.
func (o *Outbox) Compact() error { return o.db.compact() }

// Size returns the size of the file in bytes.
func (o *Outbox) Size() int64 {
	size, _, _ := o.db.size()
	return size
}

func (o *Outbox) close() error { return o.db.close() }

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

func encodeMeta(m outbox.Meta, day, today int64) []byte {
	b := make([]byte, 0, metaSize2)
	b = append(b, metaVersion)
	for _, n := range []uint64{m.Epoch, m.First, m.Next, uint64(day), uint64(today)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// decodeMeta reads what encodeMeta made; nothing is the meta of an empty queue.
func decodeMeta(raw []byte) (m outbox.Meta, day, today int64, err error) {
	switch {
	case raw == nil:
		return m, 0, 0, nil
	case len(raw) == metaSize2 && raw[0] == metaVersion:
		day, today = int64(binary.BigEndian.Uint64(raw[25:])), int64(binary.BigEndian.Uint64(raw[33:]))
	case len(raw) != metaSize1 || raw[0] != 1:
		return m, 0, 0, fmt.Errorf("outbox meta of %d bytes: %w", len(raw), ErrDamaged)
	}
	m.Epoch = binary.BigEndian.Uint64(raw[1:])
	m.First = binary.BigEndian.Uint64(raw[9:])
	m.Next = binary.BigEndian.Uint64(raw[17:])
	return m, day, max(0, today), nil
}
