package main_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClonedDevice lets two processes run at once on one store and one identity, as after the
// card of a device was copied; each decides what the other does not know. Then one of them has
// its folder put back. Nothing is lost, nothing counts twice, and the operator is told.
func TestClonedDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	w.mustFeed(annaName, annaConsent)
	a := w.newDevice("kiosk-1")
	made := map[string]int{} // decisions by id: a clone gives numbers anew until it knows what it is
	decide := func(d *device, n int) {
		for range n {
			made[d.ask("counter").Decision]++
		}
	}
	a.up()
	await(t, "the policy is there", 20*time.Second, func() bool { return a.state().Bundle == "shop@1" })
	a.tell(annaIsHere)
	a.arrival()
	decide(a, 3)
	a.handsOver(20 * time.Second)
	epoch := a.state().Epoch
	a.stop(t)
	must(t, w.dir, "cp", "-a", filepath.Join(a.dir, "store"), w.path("copy"))

	clone := w.deviceIn("clone", "kiosk-1")
	must(t, w.dir, "cp", "-a", w.path("copy"), filepath.Join(clone.dir, "store"))
	a.up()
	clone.up()
	for range 4 {
		decide(a, 2)
		decide(clone, 2)
	}
	findings := ""
	await(t, "the operator is told of a duplicate identity", 60*time.Second, func() bool {
		decide(a, 1)
		decide(clone, 1)
		findings = w.verify("--json").stdout
		return strings.Contains(findings, `"duplicate_identity"`) && strings.Contains(a.logged()+clone.logged(), "duplicate_identity")
	})

	// Whoever runs alone hands over what it has; the one after the other, both do.
	a.kill()
	clone.kill()
	for _, d := range []*device{clone, a, clone} {
		d.up()
		decide(d, 2)
		d.handsOver(60 * time.Second)
		d.stop(t)
	}
	a.up()
	now := a.state().Epoch
	a.handsOver(60 * time.Second)

	// And now its folder is put back from the copy of long ago.
	a.kill()
	must(t, w.dir, "rm", "-rf", filepath.Join(a.dir, "store"))
	must(t, w.dir, "cp", "-a", w.path("copy"), filepath.Join(a.dir, "store"))
	a.up()
	decide(a, 2)
	await(t, "it has left the epoch of the copy", 60*time.Second, func() bool { s := a.state(); return s.Epoch != "" && s.Epoch != epoch && s.Epoch != now })
	decide(a, 2)
	a.handsOver(60 * time.Second)

	at := map[string]int{}
	for _, d := range w.decisions() {
		at[d.Decision]++
	}
	for id, n := range made {
		if at[id] != n {
			t.Errorf("decision %s was made %d times, and is at the hub %d times", id, n, at[id])
		}
	}
	for id, n := range at {
		if made[id] == 0 {
			t.Errorf("decision %s is at the hub %d times, and nobody made it", id, n)
		}
	}
	if len(made) < 10 {
		t.Errorf("only %d decisions: this says nothing", len(made))
	}
	for _, f := range reading[struct {
		Findings []struct{ Code, Text string }
	}](t, w.verify("--json").stdout).Findings {
		if f.Code != "duplicate_identity" {
			t.Errorf("tact hub verify: %s %s", f.Code, f.Text)
		}
	}
}
