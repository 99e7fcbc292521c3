package agent

import (
	"testing"

	"github.com/tact-edge/tact/agent/engine"
)

// A decision names every candidate that lost: a thousand of them for each screen
// of a gateway must not stay in memory for as long as it stands there.
func TestFeedKeepsNoCandidates(t *testing.T) {
	f := NewFeed()
	everything := func(*Message) bool { return true }
	live, _ := f.Read(0, everything)
	d := &engine.Decision{ID: "k-1-1", Session: "main", Slot: "home", Action: "offer", Rejected: make([]engine.Rejected, 1000)}
	f.Show(d)
	if m := <-live.C; m.Decision != d {
		t.Errorf("who reads as it comes gets %v, want the whole decision", m.Decision)
	}
	late, fresh := f.Read(0, everything)
	if m := <-late.C; !fresh || m.Decision != nil || len(m.Line) == 0 {
		t.Errorf("who comes later gets decision %v and line %q, want the line alone", m.Decision, m.Line)
	}
	f.Session(5, "main", true)
	back, fresh := f.Read(1, everything)
	if m := <-back.C; fresh || m.Kind != KindSession {
		t.Errorf("who comes back gets %s", m.Kind)
	}
	for _, m := range append(append([]Message{}, f.kept...), f.up...) {
		if m.Decision != nil {
			t.Errorf("message %d keeps its decision", m.ID)
		}
	}
}
