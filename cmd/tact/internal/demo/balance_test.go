package demo

import (
	"testing"

	"github.com/tact-edge/tact/sync/hub/ledger"
)

// A balance that cannot fail says nothing: each fault must show.
func TestBalanceFindsEachFault(t *testing.T) {
	type sides struct {
		told, had     []string
		written, acks uint64
		report        ledger.Report
	}
	whole := func() *sides {
		return &sides{
			told: []string{"k-7-1", "k-7-2", "k-7-3"}, had: []string{"k-7-1", "k-7-2", "k-7-3"}, written: 5, acks: 5,
			report: ledger.Report{Epochs: []ledger.EpochCount{{Device: "k", Epoch: 7, Records: 5, Decisions: 3, Last: 5}, {Device: "other", Records: 90, Last: 90}}},
		}
	}
	for _, c := range []struct {
		name   string
		change func(*sides)
		holds  bool
	}{
		{"whole", func(*sides) {}, true},
		{"told again after the stream was lost", func(x *sides) { x.told = append(x.told, "k-7-2") }, true},
		{"in another order", func(x *sides) { x.had[0], x.had[2] = x.had[2], x.had[0] }, true},
		{"trouble of another device", func(x *sides) {
			x.report.Findings = append(x.report.Findings, ledger.Finding{Device: "other", Code: "gap"})
		}, true},
		{"lost at the hub", func(x *sides) { x.had = x.had[:2] }, false},
		{"twice at the hub", func(x *sides) { x.had = append(x.had, "k-7-1") }, false},
		{"one for another at the hub", func(x *sides) { x.had[2] = "k-7-9" }, false},
		{"one that no screen was told", func(x *sides) { x.told = x.told[1:] }, false},
		{"neither told nor had, but counted", func(x *sides) { x.told[2], x.had[2] = "k-7-4", "k-7-4" }, false},
		{"nothing at all", func(x *sides) { x.told, x.had = nil, nil }, false},
		{"records wait", func(x *sides) { x.acks = 4 }, false},
		{"a record less in the ledger", func(x *sides) { x.report.Epochs[0].Records = 4 }, false},
		{"a gap in the ledger", func(x *sides) { x.report.Findings = []ledger.Finding{{Device: "k", Code: "gap"}} }, false},
	} {
		x := whole()
		c.change(x)
		log := &status{}
		log.Outbox.Next, log.Outbox.Acknowledged = x.written+1, x.acks
		a, err := reckon("k", x.told, x.had, log, &x.report)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if a.holds() != c.holds {
			t.Errorf("%s: holds is %v, %+v", c.name, a.holds(), a)
		}
	}
	if _, err := reckon("k", []string{"k-7-x"}, nil, &status{}, &ledger.Report{}); err == nil {
		t.Error("an id without a number was taken")
	}
}
