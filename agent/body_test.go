package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// script notes what is done, in order, and fails where it is told to.
type script struct {
	done []string
	fail map[string][]error // per thing, the errors of its first calls
	next uint64
}

func (s *script) did(what string) error {
	s.done = append(s.done, what)
	if list := s.fail[what]; len(list) > 0 {
		s.fail[what] = list[1:]
		return list[0]
	}
	return nil
}

func (s *script) Append(_ wire.BundleID, records [][]byte) (outbox.Appended, error) {
	if err := s.did("append"); err != nil {
		return outbox.Appended{}, err
	}
	a := outbox.Appended{First: s.next, Next: s.next + uint64(len(records))}
	s.next = a.Next
	return a, nil
}
func (s *script) Applied(uint64)        { _ = s.did("applied") }
func (s *script) Drop() (int, error)    { return 0, s.did("drop") }
func (s *script) Status() outbox.Status { return outbox.Status{Next: s.next} }

func (s *script) Make(...engine.Handle) error    { return s.did("make key") }
func (s *script) Destroy(...engine.Handle) error { return s.did("destroy") }
func (s *script) Has(engine.Handle) bool         { return true }
func (s *script) Seal(_ engine.Handle, _ string, plain []byte) ([]byte, error) {
	return plain, nil
}
func (s *script) Open(_ engine.Handle, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

func (s *script) Clear(c engine.Clear)    { _ = s.did("clear " + c.Slot) }
func (s *script) Show(d *engine.Decision) { _ = s.did("show " + d.Slot) }

func scripted(s *script) *Body {
	if s.next == 0 {
		s.next = 1
	}
	return &Body{
		Log: s, Keys: s, Screens: []Screen{s}, Tell: slog.New(slog.DiscardHandler),
		Want:   func(*engine.Want) { _ = s.did("want") },
		Pause:  func(_ context.Context, d time.Duration) error { return s.did("pause " + d.String()) },
		Full:   func(full bool) { _ = s.did(fmt.Sprint("full ", full)) },
		Stored: func(*engine.Output) { _ = s.did("stored") },
		Crash:  func(p string) { _ = s.did("(" + p + ")") },
		codec:  &codec{device: "d", epoch: 1, keys: s}, names: symbolsOf(wire.BundleID{}, nil),
	}
}

func everything() *engine.Output {
	h := engine.Handle{1}
	d := &engine.Decision{ID: "d-1-1", N: 1, Session: "main", Slot: "home", Action: "offer", Treatment: "say"}
	return &engine.Output{
		At: 5,
		Persist: []engine.Record{
			{Seq: 1, At: 5, Handle: h, Event: &event.Event{At: 5, Happened: 5, Session: "main", Body: &event.Forget{}}},
			{Seq: 2, At: 5, Decision: d},
		},
		Destroy: []engine.Handle{h},
		Clear:   []engine.Clear{{Slot: "a", Protects: true}, {Slot: "b"}},
		Show:    []*engine.Decision{d},
		Want:    &engine.Want{},
	}
}

func TestEffectsInOrder(t *testing.T) {
	broken := fmt.Errorf("no: %w", outbox.ErrBroken)
	full := fmt.Errorf("no: %w", outbox.ErrFull)
	cut := errors.New("the end")
	tests := []struct {
		name string
		fail map[string][]error
		want []string
		err  error
	}{
		{name: "all is well", want: []string{"(before append)", "append", "(after append)", "destroy", "stored", "clear a", "clear b", "show home", "(after show)", "want"}},
		{name: "a broken log shows nothing, and protects", fail: map[string][]error{"append": {broken}},
			want: []string{"(before append)", "append", "clear a"}, err: outbox.ErrBroken},
		{name: "a full disk is waited out, protecting meanwhile", fail: map[string][]error{"append": {full, full}},
			want: []string{"(before append)", "append", "clear a", "full true", "pause 1s", "(before append)", "append", "pause 2s", "(before append)", "append", "(after append)", "full false",
				"destroy", "stored", "clear b", "show home", "(after show)", "want"}},
		{name: "the end comes while the disk is full", fail: map[string][]error{"append": {full}, "pause 1s": {cut}},
			want: []string{"(before append)", "append", "clear a", "full true", "pause 1s"}, err: cut},
		{name: "a key that cannot be destroyed shows nothing", fail: map[string][]error{"destroy": {broken}},
			want: []string{"(before append)", "append", "(after append)", "destroy", "clear a"}, err: outbox.ErrBroken},
		{name: "no room to destroy a key", fail: map[string][]error{"destroy": {store.ErrFull}},
			want: []string{"(before append)", "append", "(after append)", "destroy", "clear a", "full true", "pause 1s", "destroy", "full false", "stored", "clear b", "show home", "(after show)", "want"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &script{fail: test.fail}
			err := scripted(s).Handle(context.Background(), everything())
			if !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if !reflect.DeepEqual(s.done, test.want) {
				t.Errorf("did\n%q\nwant\n%q", s.done, test.want)
			}
		})
	}
}

func TestPauseGrowsToHalfAMinute(t *testing.T) {
	s := &script{fail: map[string][]error{}}
	for range 8 {
		s.fail["append"] = append(s.fail["append"], outbox.ErrFull)
	}
	if err := scripted(s).Handle(context.Background(), everything()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range s.done {
		if len(d) > 6 && d[:6] == "pause " {
			got = append(got, d[6:])
		}
	}
	want := []string{"1s", "2s", "4s", "8s", "16s", "30s", "30s", "30s"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
}

func TestNumbersOfMindAndLogMustAgree(t *testing.T) {
	s := &script{next: 7}
	if err := scripted(s).Handle(context.Background(), everything()); err == nil {
		t.Error("the log gave 7 to record 1, and nobody noticed")
	}
}

func TestNothingToPersistWritesNothing(t *testing.T) {
	s := &script{}
	if err := scripted(s).Handle(context.Background(), &engine.Output{Clear: []engine.Clear{{Slot: "b"}}, Wake: sense.Never}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"clear b"}; !reflect.DeepEqual(s.done, want) {
		t.Errorf("did %q, want %q", s.done, want)
	}
}
