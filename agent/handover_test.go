package agent

import (
	"testing"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// TestHandOversGo: what was said of somebody goes after an hour, with her, and where there are too many.
func TestHandOversGo(t *testing.T) {
	var l handOvers
	anna, bert := engine.Handle{1}, engine.Handle{2}
	l.add(engine.HandOver{Session: "main", Handle: anna, Decision: "1"}, 0)
	l.add(engine.HandOver{Session: "desk", Handle: bert, Decision: "2"}, sense.Minute)
	l.add(engine.HandOver{Session: "main", Handle: bert, Decision: "3"}, 2*sense.Minute)
	ids := func(session string, now sense.Duration) (s string) {
		for _, h := range l.of(session, now) {
			s += h.Decision
		}
		return s
	}
	if got := ids("main", 3*sense.Minute); got != "31" {
		t.Errorf("of main %q, want the newest first", got)
	}
	if got := ids("", sense.Hour); got != "32" {
		t.Errorf("after an hour %q", got)
	}
	l.forget([]engine.Handle{bert})
	if got := ids("", sense.Hour); got != "" {
		t.Errorf("of who was forgotten %q is kept", got)
	}
	for range 2 * mostHandOver {
		l.add(engine.HandOver{}, sense.Hour)
	}
	if n := len(l.of("", sense.Hour)); n != mostHandOver {
		t.Errorf("%d are kept, want at most %d", n, mostHandOver)
	}
}

// TestFeedKeepsNoHandOver: who comes back to the stream does not hear it again, and nothing of it stays.
func TestFeedKeepsNoHandOver(t *testing.T) {
	f := NewFeed()
	everything := func(*Message) bool { return true }
	f.Session(1, "main", true)
	f.HandOver(&engine.HandOver{Session: "main", Customer: "anna"})
	f.Session(2, "main", false)
	back, fresh := f.Read(1, everything)
	if m := <-back.C; fresh || m.ID != 3 || m.Kind != KindSession {
		t.Errorf("who comes back gets message %d, %s", m.ID, m.Kind)
	}
	for _, m := range f.kept {
		if m.Kind == KindHandOver && m.Line != nil {
			t.Error("what was said of somebody is kept")
		}
	}
}
