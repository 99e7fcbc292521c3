package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/wire"
)

// crashDir makes the test binary an agent that is killed at a labelled point.
const (
	crashDir   = "TACT_AGENT_CRASH_DIR"
	crashLines = "TACT_AGENT_CRASH_LINES" // what it is told instead of its own story
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, liveUntilKilled(dir, os.Getenv("TACT_AGENT_CRASH_POINT")))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// paper is a screen that writes on stdout what it shows.
type paper struct{}

func (paper) Clear(engine.Clear)      {}
func (paper) Show(d *engine.Decision) { fmt.Println("shown", d.ID) }

// liveUntilKilled decides, identifies, forgets and saves until it comes to its point
// for the n-th time: "n point".
func liveUntilKilled(dir, at string) error {
	count, point, _ := strings.Cut(at, " ")
	left, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	die := func(p string) {
		if p == point {
			if left--; left < 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
	}
	a, err := Start(context.Background(), Config{Device: "kiosk-1", Dir: dir, DeviceKey: [32]byte{7}, Screens: []Screen{paper{}}, Crash: die, Machine: os.Getenv("TACT_AGENT_CRASH_MACHINE")})
	if err != nil {
		return err
	}
	if own := os.Getenv(crashLines); own != "" {
		for _, line := range strings.Split(own, "\n") {
			if _, err := a.Submit(context.Background(), lines(nil, line)); err != nil {
				return err
			}
		}
		return errors.New("lived to the end of its lines")
	}
	for n := 0; ; n++ {
		events := lines(nil, fmt.Sprintf(`{"identify":"card:%d","by":"card"}`, n%5), `{"ask":"home"}`, `{"ask":"wrist"}`)
		if n%7 == 6 {
			events = append(events, lines(nil, fmt.Sprintf(`{"forget":"card:%d"}`, n%5))...)
		}
		if _, err := a.Submit(context.Background(), events); err != nil {
			return err
		}
		if n%3 == 2 {
			if err := a.look(context.Background(), a.save); err != nil {
				return err
			}
		}
		if st := a.queue.Status(); n%4 == 3 {
			if err := (crashQueue{a.queue, die}).Acknowledge(st.Epoch, st.Next-1, nil); err != nil {
				return err
			}
		}
	}
}

// TestKilledAnywhereGoesOnWhereItWas kills an agent at each labelled point, several
// times over the same store. Nothing that was shown may be missing in the log, no
// decision may get a number twice, and a forgotten key may not come back.
func TestKilledAnywhereGoesOnWhereItWas(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("TACT_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("TACT_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	points := []string{CrashBeforeAppend, CrashAfterAppend, CrashAfterShow, CrashAfterAcknowledge, CrashAfterSnapshot}
	dir := t.TempDir()
	shown := map[string]int{} // decision -> life
	highest := uint64(0)
	lives := 20
	if text := os.Getenv("TACT_LIVES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("TACT_LIVES=%q is no number above 0", text)
		}
		lives = n
	}
	if testing.Short() {
		lives = len(points)
	}
	for life := range lives {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("TACT_AGENT_CRASH_POINT=%d %s", r.IntN(12), points[life%len(points)]))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for in := bufio.NewScanner(out); in.Scan(); {
			id, ok := strings.CutPrefix(in.Text(), "shown ")
			if !ok {
				continue
			}
			if before, twice := shown[id]; twice {
				t.Fatalf("life %d shows %s, which life %d had shown", life, id, before)
			}
			shown[id] = life
			n, err := strconv.ParseUint(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			highest = max(highest, n)
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("life %d ended by itself: %v %s", life, err, errs.String())
		}
		verifyLife(t, dir, highest)
	}
	if len(shown) == 0 {
		t.Fatal("nothing was ever shown")
	}
}

// verifyLife opens the store in between: the log is whole, and the mind that comes
// of it goes on above all that was shown.
func verifyLife(t *testing.T, dir string, highest uint64) {
	t.Helper()
	a := start(t, dir, nil)
	defer stop(t, a)
	if s := a.Status(); len(s.Recovered) > 0 {
		t.Fatalf("a kill is no damage: %v", s.Recovered)
	}
	found := highest
	st := a.queue.Status()
	inLog := map[uint64]bool{}
	forgotten := map[wire.Handle]bool{}
	err := a.queue.Read(st.First, func(seq uint64, _ wire.BundleID, raw []byte) bool {
		rec, err := wire.DecodeRecord(raw)
		if err != nil {
			t.Fatalf("record %d: %v", seq, err)
		}
		switch rec := rec.(type) {
		case *wire.Decision:
			if inLog[rec.N] {
				t.Fatalf("decision %d is in the log twice", rec.N)
			}
			inLog[rec.N] = true
			found = max(found, rec.N)
		case *wire.Forgotten:
			if !rec.Handle.IsNone() {
				forgotten[rec.Handle] = true
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for h := range forgotten {
		if a.store.Keys.Has(engine.Handle(h)) {
			t.Fatalf("the receipt for %s is in the log, and its key is still here", h)
		}
	}
	// What was acknowledged has left the log, in order: of what was shown last, all above it then.
	for n := range inLog {
		if n < highest && !inLog[highest] {
			t.Fatalf("decision %d was shown, and is not in the log that holds %d", highest, n)
		}
	}
	next := submit(t, a, `{"ask":"home"}`).Decisions[0].N
	if next != found+1 {
		t.Fatalf("the next decision has number %d, want %d", next, found+1)
	}
}

// TestKilledAfterAForget: what was to be forgotten stays so when the process ends right after the
// record of it is in the log, before a key is destroyed or a snapshot written.
func TestKilledAfterAForget(t *testing.T) {
	const comes, forget = `{"identify":"card:1","by":"card"}`, `{"forget":"card:1"}`
	for name, c := range map[string]struct {
		lines  []string // the last one's record is appended, and nothing is done after it
		erased int      // ids that are refused then
	}{
		"known":           {[]string{comes, forget}, 1},
		"known to nobody": {[]string{forget}, 1},
		"acts again":      {[]string{comes, forget, comes}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), crashDir+"="+dir, crashLines+"="+strings.Join(c.lines, "\n"),
				fmt.Sprintf("TACT_AGENT_CRASH_POINT=%d %s", len(c.lines)-1, CrashAfterAppend))
			if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != -1 {
				t.Fatalf("it ended by itself: %v %s", err, out)
			}
			for range 2 { // and a restart later
				a := start(t, dir, nil)
				var held engine.Snapshot
				if err := a.look(context.Background(), func() { held = a.mind.Snapshot() }); err != nil {
					t.Fatal(err)
				}
				if len(held.Erased) != c.erased || len(held.Customers) != 1-c.erased {
					t.Errorf("%d ids are refused and %d customers held, want %d and %d", len(held.Erased), len(held.Customers), c.erased, 1-c.erased)
				}
				if n := len(a.store.Keys.Handles()); n != 1-c.erased {
					t.Errorf("%d keys, want %d", n, 1-c.erased)
				}
				stop(t, a)
			}
		})
	}
}
