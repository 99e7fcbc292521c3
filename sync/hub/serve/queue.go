package serve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tact-edge/tact/sync/hub"
)

// queue holds what waits for the mind: a lane for each device, and one for the
// back office (HTTP, ticks). A round takes from the lanes in turn, so that a device
// that comes back with a long backlog delays nobody else by more than its one turn.
//
// Memory is bounded: a lane takes at most laneJobs messages, and no more bytes than
// the whole queue has left. What does not fit is dropped, newest first, and counted:
// its device sends it again, as it does all that is not acknowledged. Presence and
// other documents of state are not sent again: room is kept for them.
type queue struct {
	mu          sync.Mutex
	lanes       map[string]*lane // those with jobs, by device
	first, last *lane            // in order of turns
	office      []job
	bytes       int // of payloads in lanes
	dropped     int64

	ready chan struct{} // holds one: there are jobs
	room  chan struct{} // holds one: the office's lane has room
}

type lane struct {
	device string
	jobs   []job
	bytes  int
	next   *lane
}

const (
	laneJobs   = 128      // messages of one device; its window is 8 batches
	queueBytes = 64 << 20 // of all devices
	officeJobs = 1024
	roundBytes = 256 << 10 // a round takes no more of devices' payloads: about 4,000 records
	jobBytes   = 256       // what a message takes beside its payload
)

// errDropped says that a message found no room.
var errDropped = errors.New("dropped: too much waits, its device sends it again")

func newQueue() *queue {
	return &queue{lanes: map[string]*lane{}, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put queues a message of a device. False says that it was dropped, and counted.
func (q *queue) put(device string, j job) bool {
	in, _ := j.input.(hub.FromDevice)
	size, jobs, all := len(in.Payload)+jobBytes, laneJobs, queueBytes
	if strings.Contains(in.Topic, "/st/") {
		jobs, all = 2*jobs, all+all/8
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[device]
	if q.bytes+size > all || l != nil && (len(l.jobs) >= jobs || l.bytes+size > all-q.bytes) {
		q.dropped++
		return false
	}
	if l == nil {
		l = &lane{device: device}
		q.lanes[device] = l
		q.line(l)
	}
	l.jobs = append(l.jobs, j)
	l.bytes += size
	q.bytes += size
	signal(q.ready)
	return true
}

// offer queues an input of the back office. False says that there is no room now.
func (q *queue) offer(j job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.office) >= officeJobs {
		return false
	}
	q.office = append(q.office, j)
	if len(q.office) < officeJobs {
		signal(q.room) // for the next who waits
	}
	signal(q.ready)
	return true
}

// ask queues an input of the back office, and waits for room.
func (q *queue) ask(ctx context.Context, j job) error {
	for !q.offer(j) {
		select {
		case <-q.room:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	return nil
}

// take waits for a job and returns those of one round, appended to into, no more
// than it has room for: half of it at the most for the back office while devices
// wait, then one message of each device in turn. None are returned where ctx ends.
func (q *queue) take(ctx context.Context, into []job) []job {
	for {
		select {
		case <-q.ready:
		case <-ctx.Done():
			return into
		}
		jobs := q.now(into)
		if len(jobs) > len(into) {
			return jobs
		}
	}
}

// now is take without waiting: of one who has received from ready.
func (q *queue) now(into []job) []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.round(into)
	if len(q.office) > 0 || q.first != nil {
		signal(q.ready)
	}
	return jobs
}

func (q *queue) round(into []job) []job {
	most := cap(into) - len(into)
	office := min(len(q.office), most)
	if q.first != nil {
		office = min(office, max(1, most/2))
	}
	if office > 0 {
		into = append(into, q.office[:office]...)
		clear(q.office[:office])
		if q.office = q.office[office:]; len(q.office) == 0 {
			q.office = nil
		}
		signal(q.room)
	}
	for bytes := 0; q.first != nil && len(into) < cap(into) && bytes < roundBytes; {
		l := q.first
		if q.first = l.next; q.first == nil {
			q.last = nil
		}
		j := l.jobs[0]
		l.jobs[0] = job{}
		l.jobs = l.jobs[1:]
		size := jobBytes
		if in, ok := j.input.(hub.FromDevice); ok {
			size += len(in.Payload)
		}
		l.bytes -= size
		q.bytes -= size
		bytes += size
		into = append(into, j)
		if len(l.jobs) > 0 {
			q.line(l)
		} else {
			delete(q.lanes, l.device)
		}
	}
	return into
}

// line puts a lane at the end of the turns.
func (q *queue) line(l *lane) {
	l.next = nil
	if q.last == nil {
		q.first = l
	} else {
		q.last.next = l
	}
	q.last = l
}

// waiting counts what waits, and what was dropped since the start.
func (q *queue) waiting() (jobs int, dropped int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs = len(q.office)
	for _, l := range q.lanes { // order: a sum
		jobs += len(l.jobs)
	}
	return jobs, q.dropped
}

// rest empties the queue, when the hub ends.
func (q *queue) rest() []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.office
	q.office, q.lanes, q.first, q.last, q.bytes = nil, map[string]*lane{}, nil, nil, 0
	return all // nobody waits for what devices sent
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
