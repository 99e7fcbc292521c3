package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDiskFull takes the room from a running device (RLIMIT_FSIZE: no file may grow beyond
// so many bytes), as a full disk does. It shows nothing new, waits, and says so; with room
// again it goes on, and everything that it ever showed is at the hub once.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	w.mustFeed(annaName, annaConsent)
	d := w.newDevice("kiosk-1", "log: {format: json}")
	d.up()
	await(t, "the policy is there", 20*time.Second, func() bool { return d.state().Bundle == "shop@1" })
	d.tell(annaIsHere)
	d.arrival()
	made := map[string]bool{}
	for range 3 {
		made[d.ask("counter").Decision] = true
	}
	d.handsOver(20 * time.Second)
	w.broker.kill() // what is made now has to wait on the disk
	await(t, "the device knows that it is offline", 10*time.Second, func() bool { return !d.state().Online })
	stream := d.follow("?slot=counter")

	for round := range 2 {
		room := largest(t, filepath.Join(d.dir, "store"))
		d.limit(t, uint64(room)+1)
		full, refused := false, 0
		for n := 0; n < 20000 && refused < 3; n++ {
			// A visit takes room, and the ask wants to be shown.
			lines := fmt.Sprintf("{\"interaction\":\"visit\",\"customer\":\"crm:1\",\"about\":\"visit:%d-%d-%s\"}\n{\"ask\":\"counter\"}", round, n, strings.Repeat("x", 200))
			code, text, err := ask(d.url+"/v1/events?wait=1&rejected=0", lines, 700*time.Millisecond)
			if err != nil || code != 200 {
				refused++
				continue
			}
			for _, l := range reading[taken](t, text).Lines {
				if l.Clear == "" {
					made[l.Decision] = true
				}
			}
			full = full || d.full()
		}
		await(t, "the device says that its disk is full", 10*time.Second, d.full)
		if refused == 0 {
			t.Errorf("round %d: everything was answered on a full disk", round)
		}
		before := d.state().Outbox.Next
		if round == 1 { // it is killed in that state, and starts in it
			d.kill()
			d.start(t)
			d.limit(t, uint64(room)+1)
		}
		d.limit(t, unix.RLIM_INFINITY)
		if round == 1 && !d.running() {
			t.Logf("with a full disk it did not start: exit %d", d.command.ProcessState.ExitCode())
			d.up()
		}
		await(t, "the device goes on with room again", 60*time.Second, func() bool {
			code, text, err := ask(d.url+"/v1/events?wait=1&rejected=0", `{"ask":"counter"}`, 5*time.Second)
			if err != nil || code != 200 {
				return false
			}
			for _, l := range reading[taken](t, text).Lines {
				if l.Clear == "" {
					made[l.Decision] = true
				}
			}
			return !d.full()
		})
		if s := d.state(); len(s.Recovered) > 0 || s.Outbox.Next < before {
			t.Errorf("round %d: after a full disk it is %+v", round, s)
		}
	}
	w.broker.start(t)
	w.awaitBroker()
	d.handsOver(60 * time.Second)
	at := map[string]int{}
	for _, x := range w.decisions() {
		at[x.Decision]++
	}
	for id := range made {
		if at[id] != 1 {
			t.Errorf("decision %s was answered, and is at the hub %d times", id, at[id])
		}
	}
	for more := true; more; {
		select {
		case m := <-stream:
			if m.kind == "decision" && at[m.Decision] != 1 {
				t.Errorf("decision %s was shown, and is at the hub %d times", m.Decision, at[m.Decision])
			}
		default:
			more = false
		}
	}
	if r := w.verify(); r.code != 0 {
		t.Errorf("tact hub verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	t.Logf("%d decisions answered, %d at the hub", len(made), len(at))
}

// limit says how large files of the running process may become.
func (d *device) limit(t *testing.T, bytes uint64) {
	t.Helper()
	if err := unix.Prlimit(d.command.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil); err != nil && err != syscall.ESRCH {
		t.Fatal(err)
	}
}

// full says whether the device says that its disk is full.
func (d *device) full() bool {
	_, text, err := call("GET", d.url+"/v1/status", "", "")
	return err == nil && strings.Contains(text, `"disk_full":true`)
}

// largest is the size of the largest file in a folder.
func largest(t *testing.T, dir string) (most int64) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && !e.IsDir() {
			most = max(most, info.Size())
		}
	}
	return most
}
