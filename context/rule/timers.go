package rule

import "github.com/tact-edge/tact/context/sense"

// Timers is a heap of numbered things by the instant at which time changes them, with at
// most one entry a node. It allocates once.
type Timers struct {
	due  []sense.Instant // by slot
	pos  []int32         // by slot: place in heap, -1 where none
	heap []int32
}

// NewTimers makes room for n slots.
func NewTimers(n int32) Timers {
	t := Timers{due: make([]sense.Instant, n), pos: make([]int32, n), heap: make([]int32, 0, n)}
	for k := range t.pos {
		t.pos[k] = -1
	}
	return t
}

// Next returns the earliest instant, Never where nothing waits.
func (t *Timers) Next() sense.Instant {
	if len(t.heap) == 0 {
		return sense.Never
	}
	return t.due[t.heap[0]]
}

// Waits says whether slot s waits for anything.
func (t *Timers) Waits(s int32) bool { return t.pos[s] >= 0 }

// Set makes slot s wait for an instant; Never takes it out.
func (t *Timers) Set(s int32, due sense.Instant) {
	switch k := t.pos[s]; {
	case k < 0 && due == sense.Never:
	case k < 0:
		t.due[s], t.pos[s] = due, int32(len(t.heap))
		t.heap = append(t.heap, s)
		t.up(len(t.heap) - 1)
	case due == sense.Never:
		t.drop(int(k))
	case due != t.due[s]:
		t.due[s] = due
		t.up(int(k))
		t.down(int(t.pos[s]))
	}
}

// Pop takes out the earliest slot that is due at now.
func (t *Timers) Pop(now sense.Instant) (slot int32, ok bool) {
	if len(t.heap) == 0 || t.due[t.heap[0]] > now {
		return 0, false
	}
	slot = t.heap[0]
	t.drop(0)
	return slot, true
}

func (t *Timers) drop(k int) {
	last := len(t.heap) - 1
	t.pos[t.heap[k]] = -1
	if k != last {
		t.heap[k] = t.heap[last]
		t.pos[t.heap[k]] = int32(k)
	}
	t.heap = t.heap[:last]
	if k < last {
		s := t.heap[k]
		t.up(k)
		t.down(int(t.pos[s]))
	}
}

func (t *Timers) up(k int) {
	for k > 0 {
		parent := (k - 1) / 2
		if t.due[t.heap[parent]] <= t.due[t.heap[k]] {
			return
		}
		t.swap(k, parent)
		k = parent
	}
}

func (t *Timers) down(k int) {
	for {
		child := 2*k + 1
		if child >= len(t.heap) {
			return
		}
		if child+1 < len(t.heap) && t.due[t.heap[child+1]] < t.due[t.heap[child]] {
			child++
		}
		if t.due[t.heap[k]] <= t.due[t.heap[child]] {
			return
		}
		t.swap(k, child)
		k = child
	}
}

func (t *Timers) swap(a, b int) {
	t.heap[a], t.heap[b] = t.heap[b], t.heap[a]
	t.pos[t.heap[a]], t.pos[t.heap[b]] = int32(a), int32(b)
}
