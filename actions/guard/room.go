package guard

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// Room is memory for what verdicts say, so that a refusal need not allocate any. What was put into it holds until
// Clear; texts hold for ever. A nil Room allocates for each refusal.
type Room struct {
	list  []catalog.Because
	texts map[string]string // that were needed before
	line  []byte
	chunk strings.Builder
	told  []bool // by fact: it is no hearsay in the view that was begun last
	began []window
}

// window is one that ends now, and when it began.
type window struct {
	zone   *sense.Zone
	per    catalog.Calendar
	length sense.Duration
	first  sense.Instant
}

// Begin is called with each view that uses the room before it is judged by: what was worked out for all candidates of
// the one before is no more.
func (r *Room) Begin(b *catalog.Bundle) {
	if len(r.told) != len(b.Facts) {
		r.told = make([]bool, len(b.Facts))
	}
	clear(r.told)
	r.began = r.began[:0]
}

// Since returns when a window began that ends now; work works it out once for all candidates of a view.
func (r *Room) Since(z *sense.Zone, per catalog.Calendar, length sense.Duration, now sense.Instant, work func(*sense.Zone, catalog.Calendar, sense.Duration, sense.Instant) sense.Instant) sense.Instant {
	if r == nil {
		return work(z, per, length, now)
	}
	for k := range r.began {
		if w := &r.began[k]; w.zone == z && w.per == per && w.length == length {
			return w.first
		}
	}
	first := work(z, per, length, now)
	r.began = append(r.began, window{z, per, length, first})
	return first
}

const (
	// mostTexts is how many texts are remembered: what a policy asks for are few, amounts are many.
	mostTexts = 512
	// mostKept is how many reasons Clear keeps the memory of: a step that judges for two hundred sessions is rare.
	mostKept = 1 << 14
)

// Clear takes back the memory of the lists.
func (r *Room) Clear() {
	if cap(r.list) > mostKept {
		r.list = nil
	}
	r.list = r.list[:0]
}

// Because returns a list of its own with what is given; nil where that is nothing.
func (r *Room) Because(list ...catalog.Because) []catalog.Because {
	if len(list) == 0 {
		return nil
	}
	if r == nil {
		return append([]catalog.Because(nil), list...)
	}
	n := len(r.list)
	r.list = append(r.list, list...)
	return slices.Clip(r.list[n:])
}

// Text joins texts to one.
func (r *Room) Text(parts ...string) string {
	if r == nil {
		return strings.Join(parts, "")
	}
	r.line = r.line[:0]
	for _, p := range parts {
		r.line = append(r.line, p...)
	}
	return r.known()
}

// Age returns what is needed of an age: compared says how, as in "age >= ".
func (r *Room) Age(compared string, d sense.Duration) string {
	if r == nil {
		return compared + d.String()
	}
	r.line = d.Append(append(r.line[:0], compared...))
	return r.known()
}

// Amount returns what is needed of an amount: compared says how, as in ">= ".
func (r *Room) Amount(compared string, n catalog.Micro) string {
	if r == nil {
		return compared + string(sense.AppendMicro(nil, n, 6))
	}
	r.line = sense.AppendMicro(append(r.line[:0], compared...), n, 6)
	return r.known()
}

// known returns the line as a text, the same one as before where it is remembered.
func (r *Room) known() string {
	if text, ok := r.texts[string(r.line)]; ok {
		return text
	}
	if len(r.texts) == mostTexts {
		clear(r.texts)
	}
	if r.texts == nil {
		r.texts = make(map[string]string)
	}
	text := Cut(&r.chunk, r.line)
	r.texts[text] = text
	return text
}

// chunkSize is how much memory Cut takes at a time.
const chunkSize = 1 << 10

// Cut returns a text that is cut from a chunk of memory, of which one is allocated for some dozens of texts. The text
// holds for ever, and with it its chunk.
func Cut(chunk *strings.Builder, line []byte) string {
	if chunk.Cap()-chunk.Len() < len(line) {
		chunk.Reset()
		chunk.Grow(max(chunkSize, len(line)))
	}
	n := chunk.Len()
	chunk.Write(line)
	return chunk.String()[n:]
}
