package catalog

import (
	"strings"

	"github.com/tact-edge/tact/context/rule"
)

// What a bundle is made of lies close together: texts and short lists are cut from blocks of a few
// kilobytes, which are filled as the bundle is read, so that a thousand actions are not ten thousand
// allocations. A block is let go with the last thing that was cut from it: names, which records and symbols
// may keep for longer than the bundle, lie apart from texts.
const (
	blockSize   = 4 << 10 // bytes of texts
	blockLength = 128     // elements of lists
)

// room is what a bundle that is being read is cut from.
type room struct {
	texts   texts
	names   texts
	known   map[string]string // names read so far
	strings block[string]
	indexes block[int32]
	nodes   block[rule.Node]
	parts   block[Part]
	words   block[Rendered]
	weights block[Weight]
}

// name copies a name, or returns the copy that was made before.
func (r *room) name(raw []byte) string {
	if s, ok := r.known[string(raw)]; ok {
		return s
	}
	if r.known == nil {
		r.known = map[string]string{}
	}
	s := r.names.copy(raw)
	r.known[s] = s
	return s
}

// texts is a block that texts are written into.
type texts struct{ strings.Builder }

// copy copies a text.
func (t *texts) copy(raw []byte) string {
	if len(raw) > blockSize/4 {
		return string(raw)
	}
	if t.Len()+len(raw) > t.Cap() {
		size := min(max(2*t.Cap(), 256, len(raw)), blockSize)
		t.Builder = strings.Builder{}
		t.Grow(size)
	}
	from := t.Len()
	t.Write(raw)
	return t.String()[from:]
}

// block holds things of one type, of which lists are cut.
type block[T any] struct{ free []T }

// cut returns an empty list with room for n; it never grows into its neighbour. A block that is nil
// gives each list its own array.
func (b *block[T]) cut(n int) []T {
	if b == nil || n > blockLength/4 {
		return make([]T, 0, n)
	}
	if cap(b.free)-len(b.free) < n {
		b.free = make([]T, 0, min(max(2*cap(b.free), 8, n), blockLength))
	}
	from := len(b.free)
	b.free = b.free[:from+n]
	return b.free[from : from : from+n]
}

// sure is for how many of n elements room is made before they are read, with so many bytes left: what was
// announced and is not there allocates no more than a small multiple of the bytes that are. A list that is
// denser than one element in 32 bytes grows as it is read.
func sure(n, left int) int { return min(n, 8+left/32) }
