package agent

import (
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// TestATwinIsReported: what the link found of another device with this identity is in the log for the hub,
// and the records around it keep their numbers.
func TestATwinIsReported(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	submit(t, a, `{"ask":"home"}`)
	do(t, a, func() {
		a.inbox.fromHub(uplink.Problem{Code: uplink.ProblemMessage, Count: 7})
		a.inbox.fromHub(uplink.Problem{Code: uplink.ProblemDuplicate, Detail: "another device uses the id kiosk-1", Count: 3})
	})
	if s := a.Status(); s.Refused != 7 {
		t.Errorf("%d messages were refused, want 7", s.Refused)
	}
	last := submit(t, a, `{"ask":"home"}`).Decisions[0].N
	var kinds []wire.Kind
	err := a.queue.Read(1, func(_ uint64, _ wire.BundleID, raw []byte) bool {
		kinds = append(kinds, wire.Kind(raw[0]))
		if r, err := wire.DecodeRecord(raw); err == nil && r.Kind() == wire.KindReport {
			if r := r.(*wire.Report); r.Code != wire.ReportDuplicateIdentity || r.Count != 3 {
				t.Errorf("reported %+v", r)
			}
		}
		return true
	})
	if err != nil || len(kinds) != 3 || kinds[1] != wire.KindReport {
		t.Errorf("the log holds %v, %v", kinds, err)
	}
	stop(t, a)
	a = start(t, dir, nil)
	if n := submit(t, a, `{"ask":"home"}`).Decisions[0].N; n != last+1 {
		t.Errorf("decision %d follows %d", n, last)
	}
	stop(t, a)
}

// TestRetimeKeepsOrderAndEnds: what a wrong clock stamped is moved, ends that others set are not.
func TestRetimeKeepsOrderAndEnds(t *testing.T) {
	for name, c := range map[string]struct {
		f        retime
		in, want []sense.Instant
	}{
		"not after":               {notAfter(100), []sense.Instant{0, 50, 100, 101, 1 << 40, sense.Never}, []sense.Instant{0, 50, 100, 100, 100, sense.Never}},
		"forth":                   {shifted(10, 1000, 1030), []sense.Instant{0, 5, 10, 11, 30, 31}, []sense.Instant{0, 5, 10, 1011, 1030, 1030}},
		"back, never before what": {shifted(10, -1000, 40), []sense.Instant{5, 900, 1005, 1030, 1050}, []sense.Instant{5, 10, 10, 30, 40}},
	} {
		for k := range c.in {
			got := c.in[k]
			if c.f.set(&got); got != c.want[k] {
				t.Errorf("%s: %d becomes %d, want %d", name, c.in[k], got, c.want[k])
			}
		}
	}
}
