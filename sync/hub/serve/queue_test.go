package serve

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/tact-edge/tact/sync/hub"
)

func logOf(device string, n, size int) job {
	payload := make([]byte, size)
	payload[0] = byte(n)
	return job{input: hub.FromDevice{Topic: "tact/v1/shop/" + device + "/up/log", Payload: payload}}
}

func nameOf(j job) string {
	in, ok := j.input.(hub.FromDevice)
	if !ok {
		return "office"
	}
	return fmt.Sprintf("%s %d", in.Topic[len("tact/v1/shop/"):], in.Payload[0])
}

// However much a device has waiting, the single message of another is in the next round.
func TestQueueTakesTurns(t *testing.T) {
	q := newQueue()
	for n := range 100 {
		if !q.put("many", logOf("many", n, 20<<10)) {
			t.Fatalf("message %d found no room", n)
		}
	}
	first := q.take(t.Context(), make([]job, 0, 256))
	if len(first)*20<<10 > roundBytes+20<<10 {
		t.Errorf("a round of %d messages of 20 KiB", len(first))
	}
	q.put("few", logOf("few", 7, 10))
	q.put("few", logOf("few", 8, 10))
	second := q.take(t.Context(), make([]job, 0, 256))
	var few []int
	for k, j := range second {
		if nameOf(j)[:4] == "few/" {
			few = append(few, k)
		}
	}
	if len(few) != 2 || few[0] > 1 || few[1] > 3 || nameOf(second[few[0]]) != "few/up/log 7" {
		t.Errorf("the few of the other device are at %v of %d", few, len(second))
	}
	seen := append(first, second...)
	for jobs, _ := q.waiting(); jobs > 0; jobs, _ = q.waiting() {
		seen = q.take(t.Context(), append(make([]job, 0, len(seen)+256), seen...))
	}
	next := 0
	for _, j := range seen { // each device's own keep their order
		if name := nameOf(j); name == fmt.Sprintf("many/up/log %d", next) {
			next++
		} else if name[:4] == "many" {
			t.Fatalf("%s where %d was due", name, next)
		}
	}
	if next != 100 || len(q.lanes) != 0 || q.bytes != 0 {
		t.Errorf("%d of 100 came; %d lanes and %d bytes are left", next, len(q.lanes), q.bytes)
	}
}

// The back office has half a round while devices wait, and all of it while none do.
func TestQueueSharesWithTheOffice(t *testing.T) {
	q := newQueue()
	for n := range 300 {
		if !q.offer(job{input: hub.Tick{}}) {
			t.Fatalf("line %d found no room", n)
		}
	}
	for n := range 50 {
		q.put(fmt.Sprint("d", n), logOf(fmt.Sprint("d", n), 0, 10))
	}
	for _, want := range []struct{ office, devices int }{{50, 50}, {100, 0}, {100, 0}, {50, 0}} {
		office, devices := 0, 0
		for _, j := range q.take(t.Context(), make([]job, 0, 100)) {
			if nameOf(j) == "office" {
				office++
			} else {
				devices++
			}
		}
		if office != want.office || devices != want.devices {
			t.Errorf("a round of %d lines and %d messages, want %d and %d", office, devices, want.office, want.devices)
		}
	}
}

// What a device sends takes bounded memory, and leaves room for others.
func TestQueueIsBounded(t *testing.T) {
	q := newQueue()
	taken := 0
	for n := range 200 {
		if q.put("flood", logOf("flood", n, 1000)) {
			taken++
		}
	}
	if taken != laneJobs {
		t.Errorf("%d messages of one device are held, at most %d", taken, laneJobs)
	}
	if _, dropped := q.waiting(); dropped != int64(200-laneJobs) {
		t.Errorf("%d are counted as dropped, want %d", dropped, 200-laneJobs)
	}
	gone := job{input: hub.FromDevice{Topic: "tact/v1/shop/flood/st/conn", Payload: []byte("{}")}}
	if !q.put("flood", gone) {
		t.Error("there was no room for the presence of a device")
	}
	for n := range 3000 { // more devices than memory has room for
		q.put(fmt.Sprint("d", n), logOf(fmt.Sprint("d", n), 0, 60<<10))
	}
	if q.bytes > queueBytes || q.bytes < queueBytes-64<<10 {
		t.Errorf("%d bytes are held, at most %d", q.bytes, queueBytes)
	}
	if !q.put("late", job{input: hub.FromDevice{Topic: "tact/v1/shop/late/st/conn", Payload: []byte("{}")}}) {
		t.Error("a full queue has no room for presence")
	}
	if jobs := q.rest(); len(jobs) != 0 || q.bytes != 0 || len(q.lanes) != 0 {
		t.Error("the emptied queue holds something")
	}
}

// An asker waits for room, and for no longer than its context.
func TestQueueHoldsAskersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		for q.offer(job{input: hub.Tick{}}) {
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 3)
		go func() { done <- q.ask(ctx, job{input: hub.Tick{}}) }()
		synctest.Wait()
		cancel()
		if err := <-done; err == nil {
			t.Error("an asker was let in that had gone")
		}
		for range 3 {
			go func() { done <- q.ask(t.Context(), job{input: hub.Tick{}}) }()
		}
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("a full queue took one: %v", err)
		default:
		}
		q.take(t.Context(), make([]job, 0, 2)) // two places
		synctest.Wait()
		q.take(t.Context(), make([]job, 0, 2))
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		ctx, cancel = context.WithCancel(t.Context())
		q.rest()
		cancel()
		if jobs := q.take(ctx, nil); len(jobs) != 0 {
			t.Error("something came out of an empty queue")
		}
	})
}
