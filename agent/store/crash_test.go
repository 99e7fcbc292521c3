package store

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// crashDir makes the test binary a process that writes until it is killed.
const crashDir = "TACT_STORE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		seed, err := strconv.ParseUint(os.Getenv("TACT_STORE_CRASH_SEED"), 10, 64)
		if err == nil {
			err = writeUntilKilled(dir, seed)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// record is what stands under a number: its content follows from the number.
func crashRecord(seq uint64) []byte {
	r := rand.New(rand.NewPCG(seq, 1))
	b := make([]byte, 9+r.IntN(600))
	b[0] = 1
	binary.BigEndian.PutUint64(b[1:], seq)
	for k := 9; k < len(b); k++ {
		b[k] = byte(r.Uint32())
	}
	return b
}

// writeUntilKilled appends, acknowledges, saves and forgets, and says on stdout
// what has returned: "a N" appended through N, "s N" snapshot of N, "f N" forgotten handle N.
func writeUntilKilled(dir string, seed uint64) error {
	s, err := Open(Options{Dir: dir, DeviceKey: [32]byte{1}})
	if err != nil {
		return err
	}
	if len(s.Recovered) > 0 {
		return fmt.Errorf("recovered %v", s.Recovered)
	}
	q, err := outbox.Open(s.Outbox, outbox.Options{Epoch: 9})
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 2))
	snap, _, _ := s.State.Load()
	q.Applied(snap.Applied)
	for round := 0; ; round++ {
		var a outbox.Appended
		burst := round%20 == 5 // so much that dropping it leaves a file to compact
		for n := 0; n == 0 || burst && n < 12; n++ {
			next := q.Status().Next
			var batch [][]byte
			most := uint64(64)
			if r.IntN(3) == 0 {
				most = 1
			}
			if burst {
				most = 256
			}
			for k := range 1 + r.Uint64N(most) {
				batch = append(batch, crashRecord(next+k))
			}
			if a, err = q.Append(wire.BundleID{}, batch); err != nil {
				return err
			}
			fmt.Println("a", a.Next-1)
		}
		if burst || r.IntN(3) == 0 {
			c := customer(1, a.Next)
			c.Revision = a.Next - 1
			snap := engine.Snapshot{Applied: a.Next - 1, Customers: []engine.CustomerState{c}}
			if r.IntN(2) == 0 {
				snap.Customers = append(snap.Customers, customer(2, a.Next))
			}
			if err := s.State.Save(9, 0, snap); err != nil {
				return err
			}
			q.Applied(snap.Applied)
			fmt.Println("s", snap.Applied)
		}
		if burst || r.IntN(4) == 0 {
			if err := q.Acknowledge(9, a.Next-1-r.Uint64N(3), nil); err != nil && a.Next > 4 {
				return err
			}
		}
		if burst || r.IntN(6) == 0 {
			if _, err := q.Drop(); err != nil {
				return err
			}
			fmt.Println("d", s.Outbox.Size())
		}
		if r.IntN(5) == 0 {
			if err := s.Keys.Destroy(engine.Handle{2, 0xff}); err != nil {
				return err
			}
			fmt.Println("f", 2)
		}
	}
}

// TestKillNine kills a writing process at random instants, many times over the
// same files, and compares what is found with what it had said.
func TestKillNine(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	dir := t.TempDir()
	appended, saved := uint64(0), uint64(0)
	size, compacted := int64(0), 0
	kills := 20
	if testing.Short() {
		kills = 5
	}
	for n := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir, "TACT_STORE_CRASH_SEED="+strconv.FormatUint(r.Uint64(), 10))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		forgotten := false
		after := 1 + r.IntN(80) // things said before the kill
		in := bufio.NewScanner(out)
		for in.Scan() {
			var what string
			var at uint64
			if _, err := fmt.Sscan(in.Text(), &what, &at); err != nil {
				break // the last line may be cut
			}
			switch what {
			case "a":
				appended = at
			case "s":
				saved, forgotten = at, false
			case "f":
				forgotten = true
			case "d":
				if int64(at) < size-minGain/2 {
					compacted++
				}
				size = int64(at)
			}
			if after--; after == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("kill %d: the process ended by itself: %v", n, err)
		}
		verifyAfterKill(t, dir, appended, saved, forgotten)
	}
	t.Logf("%d compactions", compacted)
}

func verifyAfterKill(t *testing.T, dir string, appended, saved uint64, forgotten bool) {
	t.Helper()
	s, err := Open(Options{Dir: dir, DeviceKey: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, s)
	if len(s.Recovered) > 0 {
		t.Fatalf("a kill is no damage: %v", s.Recovered)
	}
	q, err := outbox.Open(s.Outbox, outbox.Options{Epoch: 9})
	if err != nil {
		t.Fatal(err)
	}
	st := q.Status()
	if st.Next <= appended {
		t.Fatalf("record %d was appended, next is %d", appended, st.Next)
	}
	snap, _, unread := s.State.Load()
	if snap.Applied < saved || snap.Applied >= st.Next {
		t.Fatalf("snapshot of %d was saved, found %d of %d", saved, snap.Applied, st.Next)
	}
	if st.First > snap.Applied+1 {
		t.Fatalf("records from %d are there, the snapshot has only those through %d", st.First, snap.Applied)
	}
	want := st.First
	err = q.Read(st.First, func(seq uint64, _ wire.BundleID, record []byte) bool {
		if seq != want || string(record) != string(crashRecord(seq)) {
			t.Fatalf("record %d is not what was written as %d", seq, want)
		}
		want++
		return true
	})
	if err != nil || want != st.Next {
		t.Fatalf("read through %d of %d: %v", want-1, st.Next-1, err)
	}
	for _, c := range snap.Customers {
		if c.Handle[0] == 1 && c.Revision != snap.Applied {
			t.Fatalf("customer of record %d in a snapshot of %d", c.Revision, snap.Applied)
		}
		if c.Handle[0] == 2 && forgotten && unread == 0 && snap.Applied == saved {
			t.Fatal("a forgotten customer came back")
		}
	}
}
