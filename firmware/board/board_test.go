package board

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// scripted is a source that follows a function, and counts how often it is open.
type scripted struct {
	feeds []string
	run   func(ctx context.Context, to Sink) error

	mu         sync.Mutex
	open, most int
	runs       int
}

func (s *scripted) Feeds() []string { return s.feeds }

func (s *scripted) Run(ctx context.Context, to Sink) error {
	s.mu.Lock()
	s.open++
	s.runs++
	s.most = max(s.most, s.open)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
	}()
	return s.run(ctx, to)
}

func (s *scripted) counts() (open, most, runs int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.most, s.runs
}

// inbox collects what a board emits.
type inbox struct {
	mu   sync.Mutex
	got  []string
	full error
}

func (i *inbox) emit(e event.Event) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.full != nil {
		return i.full
	}
	line := "-"
	if s, ok := e.Body.(*event.Signal); ok {
		line = s.Name + " " + s.Value.String()
	}
	i.got = append(i.got, line)
	return nil
}

func (i *inbox) lines() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.got)
}

// steady tells its signals once and waits.
func steady(feeds ...string) *scripted {
	return &scripted{feeds: feeds, run: func(ctx context.Context, to Sink) error {
		for _, f := range feeds {
			if err := to.Emit(live("s", event.MainSession, f, sense.BoolValue(true), 0)); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return nil
	}}
}

func boardOf(emit func(event.Event) error, sources ...Source) *Board {
	b := &Board{emit: emit}
	for k, s := range sources {
		b.add(string(rune('a'+k)), "test", event.MainSession, s)
	}
	return b
}

func TestBoardRunsWhatIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in inbox
		gnss, door := steady("position", "speed"), steady("door")
		b := boardOf(in.emit, gnss, door)
		expect := func(step string, want ...Phase) {
			t.Helper()
			synctest.Wait()
			for k, s := range b.States() {
				open, _, _ := []*scripted{gnss, door}[k].counts()
				if s.Phase != want[k] || (open == 1) != (want[k] == Running) {
					t.Errorf("%s: source %s is %s, open %d, want %s", step, s.Name, s.Phase, open, want[k])
				}
			}
		}
		expect("nothing wanted", Stopped, Stopped)
		b.Want([]string{"speed"})
		expect("speed", Running, Stopped)
		if got := in.lines(); !slices.Equal(got, []string{"speed true"}) {
			t.Errorf("delivered %v: position is not wanted", got)
		}
		if why := b.States()[0].Why; !slices.Equal(why, []string{"speed"}) {
			t.Errorf("runs because of %v", why)
		}
		since := b.States()[0].Since
		time.Sleep(time.Minute)
		b.Want([]string{"position", "door"})
		expect("position and door", Running, Running)
		if _, _, runs := gnss.counts(); runs != 1 || b.States()[0].Since != since {
			t.Errorf("the receiver was opened %d times", runs)
		}
		b.Want(nil)
		expect("nothing", Stopped, Stopped)
		if _, most, _ := gnss.counts(); most != 1 {
			t.Errorf("the receiver was open %d times at once", most)
		}
		b.Want([]string{"door"})
		b.Close()
		expect("closed", Stopped, Stopped)
		b.Want([]string{"door"})
		expect("after closing", Stopped, Stopped)
	})
}

// TestBoardSwitchesFast: however fast the wishes change, hardware is never open twice.
func TestBoardSwitchesFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &scripted{feeds: []string{"x"}, run: func(ctx context.Context, _ Sink) error {
			<-ctx.Done()
			time.Sleep(300 * time.Millisecond)
			return nil
		}}
		var in inbox
		b := boardOf(in.emit, slow)
		for range 20 {
			b.Want([]string{"x"})
			time.Sleep(7 * time.Millisecond)
			b.Want(nil)
		}
		b.Want([]string{"x"})
		time.Sleep(time.Minute)
		if open, most, _ := slow.counts(); open != 1 || most != 1 {
			t.Errorf("open %d, at most %d at once, want 1 and 1", open, most)
		}
		b.Close()
		if open, _, _ := slow.counts(); open != 0 {
			t.Error("still open after Close")
		}
	})
}

func TestBoardRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var starts []time.Duration
		torn := &scripted{feeds: []string{"speed", "course"}, run: func(ctx context.Context, to Sink) error {
			starts = append(starts, time.Since(begin))
			if err := to.Emit(live("s", event.MainSession, "speed", sense.IntValue(3), 0)); err != nil {
				return err
			}
			to.Refuse(errors.New("line 7: bad"))
			return errors.New("torn cable")
		}}
		var in inbox
		b := boardOf(in.emit, torn)
		b.Want([]string{"speed", "course"})
		time.Sleep(3500 * time.Millisecond)
		if got := in.lines(); !slices.Equal(got, []string{"speed 3", "speed null", "speed 3", "speed null", "speed 3", "speed null"}) {
			t.Errorf("delivered %v: what a failed source gave is unavailable", got)
		}
		if s := b.States()[0]; s.Phase != Failed || s.Err != "torn cable" || s.Refused != 3 || s.Last != "line 7: bad" {
			t.Errorf("state %+v", s)
		}
		time.Sleep(10 * time.Minute)
		b.Close()
		for k := 1; k < len(starts); k++ {
			want := min(time.Second<<(k-1), time.Minute)
			if got := starts[k] - starts[k-1]; got != want {
				t.Errorf("pause %d was %s, want %s", k, got, want)
			}
		}
		if len(starts) < 10 {
			t.Errorf("run %d times in 10 minutes", len(starts))
		}
	})
}

func TestBoardEndsAndOwnerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := &scripted{run: func(context.Context, Sink) error { return ErrEnded }}
		var in inbox
		b := boardOf(in.emit, ended)
		b.Want(nil) // a source of any event runs whatever is wanted
		time.Sleep(time.Hour)
		if s := b.States()[0]; s.Phase != Ended || !slices.Equal(s.Why, []string{"*"}) {
			t.Errorf("state %+v", s)
		}
		b.Close()

		in.full = errors.New("shutting down")
		s := steady("x")
		b = boardOf(in.emit, s)
		b.Want([]string{"x"})
		time.Sleep(time.Hour)
		if _, _, runs := s.counts(); runs != 1 || !strings.Contains(b.States()[0].Err, "shutting down") {
			t.Errorf("run %d times after the owner closed, state %+v", runs, b.States()[0])
		}
		b.Close()
	})
}
