package outbox

import (
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// A disk that is busy holds up its writer alone: who reads, looks or acknowledges meanwhile is served, and
// sees the queue as it was before the commit.
func TestNobodyWaitsForTheDisk(t *testing.T) {
	busy, goOn := make(chan struct{}), make(chan struct{})
	disk := &Memory{}
	q, err := Open(disk, Options{Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	record, err := wire.AppendRecord(nil, &wire.Decision{N: 1, At: 1})
	if err != nil {
		t.Fatal(err)
	}
	three := [][]byte{record, record, record}
	if _, err := q.Append(wire.BundleID{1}, three); err != nil {
		t.Fatal(err)
	}
	if err := q.Acknowledge(1, 2, nil); err != nil {
		t.Fatal(err)
	}
	q.Applied(3)
	disk.Fault = func(Write) Fault {
		busy <- struct{}{}
		<-goOn
		return FaultNone
	}
	done := make(chan error, 1)
	go func() {
		_, err := q.Append(wire.BundleID{1}, three)
		done <- err
	}()
	<-busy // the commit drops 1 and 2, and brings 4 to 6
	if s := q.Status(); s.Next != 4 || s.Records != 3 {
		t.Errorf("while the disk is busy: %+v", s)
	}
	if run, err := q.Peek(sense.Instant(5), 1, 10, 1<<20); err != nil || run.First != 3 || len(run.Records) != 1 {
		t.Errorf("peek gives %d records from %d, %v: want number 3 alone", len(run.Records), run.First, err)
	}
	if err := q.Acknowledge(1, 3, nil); err != nil {
		t.Error(err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := q.Status(); s.First != 3 || s.Next != 7 || s.Head != 4 || s.Records != 4 {
		t.Errorf("after the commit: %+v", s)
	}
	run, err := q.Peek(sense.Instant(6), 1, 10, 1<<20)
	if err != nil || run.First != 3 || len(run.Records) != 4 {
		t.Errorf("peek gives %d records from %d, %v: want 3 to 6", len(run.Records), run.First, err)
	}
}
