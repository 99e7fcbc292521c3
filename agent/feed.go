package agent

import (
	"strconv"
	"sync"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// What a message of the feed says.
const (
	KindDecision = "decision"
	KindClear    = "clear"
	KindSession  = "session"
	KindHandOver = "handover" // for staff: without a slot, and not kept for who comes later
)

// Message is one thing that screens are told.
type Message struct {
	ID       uint64 // counts from 1 within a life of the agent
	Kind     string
	Session  string
	Slot     string           // empty for a session message and a hand-over
	Line     []byte           // JSON as in the contract; of a decision with few of the rejected
	Decision *engine.Decision // of a decision, whole, for who reads as it comes; nil later; read only
}

// Bounds of the feed.
const (
	keptMessages = 128 // for who comes back
	keptRejected = 10  // candidates that a line of the stream names
	slowAfter    = 64  // messages that may wait for one reader
)

// Feed tells screens what to show and take down, in order. A reader that lets
// too much wait is dropped, since what it would show is no longer true. It is a Screen.
type Feed struct {
	mu      sync.Mutex
	next    uint64
	kept    []Message // the newest
	up      []Message // decisions that stand in a slot, in order
	readers map[*Reader]bool
	closed  bool
}

// NewFeed returns a feed without readers.
func NewFeed() *Feed { return &Feed{next: 1, readers: map[*Reader]bool{}} }

// Reader follows a feed.
type Reader struct {
	C       <-chan Message // closed when the reader was dropped or the feed has ended
	c       chan Message
	feed    *Feed
	matches func(*Message) bool
}

// Show implements Screen.
func (f *Feed) Show(d *engine.Decision) {
	m := Message{Kind: KindDecision, Session: d.Session, Slot: d.Slot, Line: d.AppendJSON(nil, keptRejected), Decision: d}
	f.tell(m, func(up []Message, m Message) []Message {
		if d.Action == silence {
			return up
		}
		return append(without(up, m.Session, m.Slot), m)
	})
}

// Clear implements Screen.
func (f *Feed) Clear(c engine.Clear) {
	f.tell(Message{Kind: KindClear, Session: c.Session, Slot: c.Slot, Line: c.AppendJSON(nil)},
		func(up []Message, m Message) []Message { return without(up, m.Session, m.Slot) })
}

// Session tells that somebody is served in a session from now on, or nobody is.
func (f *Feed) Session(at sense.Instant, session string, identified bool) {
	b := append([]byte(`{"at":"`), at.String()...)
	b = sense.AppendText(append(b, `","session":`...), session)
	b = append(strconv.AppendBool(append(b, `,"identified":`...), identified), '}')
	f.tell(Message{Kind: KindSession, Session: session, Line: b}, nil)
}

// HandOver tells what a person is told who takes over in a session.
func (f *Feed) HandOver(h *engine.HandOver) {
	f.tell(Message{Kind: KindHandOver, Session: h.Session, Line: h.AppendJSON(nil)}, nil)
}

func without(up []Message, session, slot string) []Message {
	kept := up[:0]
	for _, m := range up {
		if m.Session != session || m.Slot != slot {
			kept = append(kept, m)
		}
	}
	clear(up[len(kept):])
	return kept
}

func (f *Feed) tell(m Message, change func(up []Message, m Message) []Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	m.ID = f.next
	f.next++
	kept := m
	kept.Decision = nil // a thousand candidates are not kept for who may come later
	if change != nil {
		f.up = change(f.up, kept)
	}
	if m.Kind == KindHandOver {
		kept.Line = nil // its place is kept, what was said of somebody is not
	}
	if len(f.kept) == keptMessages {
		f.kept = append(f.kept[:0], f.kept[1:]...)
	}
	f.kept = append(f.kept, kept)
	for r := range f.readers {
		if !r.matches(&m) {
			continue
		}
		select {
		case r.c <- m:
		default:
			f.drop(r)
		}
	}
}

func (f *Feed) drop(r *Reader) {
	if f.readers[r] {
		delete(f.readers, r)
		close(r.c)
	}
}

// Read returns a reader of what matches. after is the id of the last message that
// it has seen: it gets what came since. With 0, or where that is no longer
// known, it gets what stands in the slots now; fresh says that this is so.
func (f *Feed) Read(after uint64, matches func(*Message) bool) (r *Reader, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.up
	fresh = after == 0 || after >= f.next || len(f.kept) > 0 && after+1 < f.kept[0].ID
	if !fresh {
		old = f.kept
	}
	c := make(chan Message, slowAfter+keptMessages)
	r = &Reader{C: c, c: c, feed: f, matches: matches}
	for k := range old {
		if (fresh || old[k].ID > after) && old[k].Line != nil && matches(&old[k]) && len(c) < cap(c) {
			c <- old[k]
		}
	}
	if f.closed {
		close(c)
		return r, fresh
	}
	f.readers[r] = true
	return r, fresh
}

// Close ends the reading.
func (r *Reader) Close() {
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	r.feed.drop(r)
}

// Close ends all reading.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for r := range f.readers {
		f.drop(r)
	}
}
