package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// verifyDB reads a bbolt file page by page and says whether bbolt can use it. It
// looks at all that bbolt will rely on before bbolt does: bbolt meets damage with
// a panic, some of them in goroutines of its own, which nobody can recover. The
// error wraps ErrDamaged, or is one of reading.
//
// The form is that of bbolt's version 2: pages of a header (id 8, flags 2, count
// 2, overflow 4) and elements, in the byte order of the machine.
func verifyDB(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	v := &verifier{f: f, size: info.Size()}
	if err := v.findMeta(); err != nil {
		return err
	}
	if err := v.tree(v.root, nil, nil, 0); err != nil {
		return err
	}
	return v.freelist()
}

const (
	pageHead     = 16
	elementSize  = 16 // of branch and leaf pages
	metaLength   = 64 // with the checksum
	bucketLength = 16
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	leafBucket   = 0x01 // flag of a leaf element
	noFreelist   = ^uint64(0)
	mostDepth    = 64
	mostBuckets  = 64 // ours have three
)

var order = binary.NativeEndian

type verifier struct {
	f        *os.File
	size     int64
	pageSize int64
	root     uint64 // page of the root bucket
	free     uint64 // page of the list of free pages
	pages    uint64 // how many the file has in use
	seen     []uint64
	buckets  int
}

func damaged(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, a...)...)
}

// findMeta reads both metas and takes the newer one that is whole.
func (v *verifier) findMeta() error {
	first, err := v.meta(0)
	if err != nil {
		return err
	}
	sizes := []int64{first.pageSize}
	if !first.ok {
		sizes = nil
		for size := int64(1024); size <= 64<<10; size *= 2 {
			sizes = append(sizes, size)
		}
	}
	best := first
	for _, size := range sizes {
		m, err := v.meta(size)
		if err != nil {
			return err
		}
		if m.ok && m.pageSize == size && (!best.ok || m.txid > best.txid) {
			best = m
		}
	}
	if !best.ok {
		return damaged("no meta page is whole")
	}
	v.pageSize, v.root, v.free, v.pages = best.pageSize, best.root, best.free, best.pages
	if v.pages < 2 || v.pages > uint64(v.size/v.pageSize) {
		return damaged("%d pages in a file of %d bytes", v.pages, v.size)
	}
	v.seen = make([]uint64, v.pages/64+1)
	return nil
}

type metaPage struct {
	ok                      bool
	pageSize                int64
	root, free, pages, txid uint64
}

// meta reads the meta page at an offset.
func (v *verifier) meta(at int64) (m metaPage, err error) {
	raw := make([]byte, pageHead+metaLength)
	if _, err := v.f.ReadAt(raw, at); err != nil {
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		return m, err
	}
	raw = raw[pageHead:]
	sum := fnv.New64a()
	sum.Write(raw[:56])
	if order.Uint32(raw) != boltMagic || order.Uint32(raw[4:]) != boltVersion || order.Uint64(raw[56:]) != sum.Sum64() {
		return m, nil
	}
	m = metaPage{ok: true, pageSize: int64(order.Uint32(raw[8:])), root: order.Uint64(raw[16:]), free: order.Uint64(raw[32:]),
		pages: order.Uint64(raw[40:]), txid: order.Uint64(raw[48:])}
	if m.pageSize < 1024 || m.pageSize > 64<<10 || m.pageSize&(m.pageSize-1) != 0 {
		m.ok = false
	}
	return m, nil
}

// page reads a page with its overflow, and marks it as used.
func (v *verifier) page(id uint64) (raw []byte, flags, count int, err error) {
	if id < 2 || id >= v.pages {
		return nil, 0, 0, damaged("page %d of %d", id, v.pages)
	}
	raw = make([]byte, v.pageSize)
	if _, err := v.f.ReadAt(raw, int64(id)*v.pageSize); err != nil {
		return nil, 0, 0, fmt.Errorf("read page %d: %w", id, err)
	}
	overflow := uint64(order.Uint32(raw[12:]))
	if order.Uint64(raw) != id || id+overflow >= v.pages {
		return nil, 0, 0, damaged("page %d says it is %d with %d more", id, order.Uint64(raw), overflow)
	}
	for k := id; k <= id+overflow; k++ {
		if v.seen[k/64]&(1<<(k%64)) != 0 {
			return nil, 0, 0, damaged("page %d is used twice", k)
		}
		v.seen[k/64] |= 1 << (k % 64)
	}
	if overflow > 0 {
		raw = append(raw, make([]byte, int64(overflow)*v.pageSize)...)
		if _, err := v.f.ReadAt(raw[v.pageSize:], int64(id+1)*v.pageSize); err != nil {
			return nil, 0, 0, fmt.Errorf("read page %d: %w", id, err)
		}
	}
	return raw, int(order.Uint16(raw[8:])), int(order.Uint16(raw[10:])), nil
}

// tree checks the page and all below it. Its keys are at least low, where that
// is not nil, and below high.
func (v *verifier) tree(id uint64, low, high []byte, depth int) error {
	if depth > mostDepth {
		return damaged("page %d lies too deep", id)
	}
	raw, flags, count, err := v.page(id)
	if err != nil {
		return err
	}
	if flags == flagLeaf {
		return v.leaf(id, raw, count, low, high, depth)
	}
	if flags != flagBranch || count == 0 {
		return damaged("page %d has flags %x and %d elements", id, flags, count)
	}
	type child struct {
		key []byte
		id  uint64
	}
	children := make([]child, count)
	for k := range children {
		at := pageHead + k*elementSize
		if at+elementSize > len(raw) {
			return damaged("page %d ends in element %d", id, k)
		}
		key, err := piece(raw, at, order.Uint32(raw[at:]), order.Uint32(raw[at+4:]))
		if err != nil {
			return fmt.Errorf("page %d, element %d: %w", id, k, err)
		}
		children[k] = child{key, order.Uint64(raw[at+8:])}
	}
	for k, c := range children {
		next := high
		if k+1 < len(children) {
			next = children[k+1].key
		}
		if k > 0 && bytes.Compare(children[k-1].key, c.key) >= 0 || !within(c.key, low, high) {
			return damaged("page %d: key %d is out of order", id, k)
		}
		if err := v.tree(c.id, c.key, next, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks a leaf page, which may be one within a bucket's value (id 0).
func (v *verifier) leaf(id uint64, raw []byte, count int, low, high []byte, depth int) error {
	var last []byte
	for k := range count {
		at := pageHead + k*elementSize
		if at+elementSize > len(raw) {
			return damaged("page %d ends in element %d", id, k)
		}
		pos, ksize, vsize := order.Uint32(raw[at+4:]), order.Uint32(raw[at+8:]), order.Uint32(raw[at+12:])
		key, err := piece(raw, at, pos, ksize)
		if err != nil {
			return fmt.Errorf("page %d, element %d: %w", id, k, err)
		}
		value, err := piece(raw, at, pos+ksize, vsize)
		if err != nil || pos+ksize < pos {
			return damaged("page %d: value %d lies outside", id, k)
		}
		if k > 0 && bytes.Compare(last, key) >= 0 || !within(key, low, high) {
			return damaged("page %d: key %d is out of order", id, k)
		}
		last = key
		if order.Uint32(raw[at:])&leafBucket != 0 {
			if err := v.bucket(id, value, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket checks what a bucket's value leads to: a page, or one within the value.
func (v *verifier) bucket(id uint64, value []byte, depth int) error {
	if v.buckets++; v.buckets > mostBuckets || len(value) < bucketLength {
		return damaged("page %d: bucket of %d bytes, the %d.", id, len(value), v.buckets)
	}
	if root := order.Uint64(value); root != 0 {
		return v.tree(root, nil, nil, depth+1)
	}
	inline := value[bucketLength:]
	if len(inline) < pageHead || int(order.Uint16(inline[8:])) != flagLeaf {
		return damaged("page %d: bucket of %d bytes within it", id, len(value))
	}
	return v.leaf(0, inline, int(order.Uint16(inline[10:])), nil, nil, depth+1)
}

// piece is a key or value, pos bytes behind the begin of its element.
func piece(raw []byte, at int, pos, size uint32) ([]byte, error) {
	from := uint64(at) + uint64(pos)
	if from+uint64(size) > uint64(len(raw)) {
		return nil, damaged("%d bytes at %d of %d", size, from, len(raw))
	}
	return raw[from : from+uint64(size)], nil
}

func within(key, low, high []byte) bool {
	return (low == nil || bytes.Compare(low, key) <= 0) && (high == nil || bytes.Compare(key, high) < 0)
}

// freelist checks the list of free pages, which files of earlier versions have.
func (v *verifier) freelist() error {
	if v.free == noFreelist {
		return nil
	}
	raw, flags, count, err := v.page(v.free)
	if err != nil {
		return err
	}
	ids := raw[pageHead:]
	n := uint64(count)
	if count == 0xffff { // too many for the count: it stands in front
		n, ids = order.Uint64(ids), ids[8:]
	}
	if flags != flagFreelist || n > uint64(len(ids)/8) {
		return damaged("page %d is no list of %d free pages", v.free, n)
	}
	last := uint64(1)
	for k := range n {
		id := order.Uint64(ids[8*k:])
		if id <= last || id >= v.pages || v.seen[id/64]&(1<<(id%64)) != 0 {
			return damaged("page %d is free and in use", id)
		}
		last = id
	}
	return nil
}
