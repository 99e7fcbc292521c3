package moment

import (
	"container/heap"

	"github.com/tact-edge/tact/context/sense"
)

// queue holds the sessions that time alone changes, in order of when: a heap, so that a step costs what is
// due, however many sessions are open.
type queue []*scene

func (q queue) Len() int           { return len(q) }
func (q queue) Less(a, b int) bool { return q[a].due < q[b].due }
func (q queue) Swap(a, b int) {
	q[a], q[b] = q[b], q[a]
	q[a].place, q[b].place = a, b
}
func (q *queue) Push(x any) {
	c := x.(*scene)
	c.place = len(*q)
	*q = append(*q, c)
}
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = nil
	*q = (*q)[:len(*q)-1]
	last.place = -1
	return last
}

// next returns the earliest instant, sense.Never where nothing waits.
func (q queue) next() sense.Instant {
	if len(q) == 0 {
		return sense.Never
	}
	return q[0].due
}

// put makes a session wait for an instant; Never takes it out.
func (q *queue) put(c *scene, due sense.Instant) {
	switch {
	case due == c.due:
		return
	case c.place < 0:
		c.due = due
		heap.Push(q, c)
	case due == sense.Never:
		heap.Remove(q, c.place)
		c.due = due
	default:
		c.due = due
		heap.Fix(q, c.place)
	}
}
