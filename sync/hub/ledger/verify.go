package ledger

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// maxFindings bounds a report: after so many something is wrong in one way.
const maxFindings = 1000

// verifier goes through a ledger's log: mark for each epoch, its records in
// order of number, its decisions in order of theirs, end.
type verifier struct {
	report  Report
	at      hub.Mark
	count   EpochCount
	next    uint64   // number that the next record should have
	tombs   int64    // decisions that became tombstones
	n, seq  uint64   // last decision, and its record
	lapses  []uint64 // records that say that the device lost its state
	missing int64    // decision numbers passed over
}

func (v *verifier) find(code, format string, args ...any) {
	if len(v.report.Findings) < maxFindings {
		v.report.Findings = append(v.report.Findings, Finding{Device: v.at.Device, Epoch: v.at.Epoch, Code: code, Text: fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) mark(m hub.Mark) {
	v.at = m
	v.count = EpochCount{Device: m.Device, Epoch: m.Epoch}
	v.next, v.n, v.seq, v.lapses, v.tombs, v.missing = 1, 0, 0, nil, 0, 0
}

func (v *verifier) record(seq uint64, kind wire.Kind, body []byte) {
	v.hole(seq)
	v.next = seq + 1
	v.count.Records++
	v.count.Last = seq
	if kind != wire.KindTombstone && kind != wire.KindReport {
		return
	}
	r, err := wire.DecodeRecord(body)
	if err != nil {
		return
	}
	switch r := r.(type) {
	case *wire.Tombstone:
		if r.Was == wire.KindDecision {
			v.tombs++
		}
	case *wire.Report:
		if r.Code == wire.ReportStoreRecovered {
			v.lapses = append(v.lapses, seq)
		}
	}
}

// lapsed says whether the device lost its state between two records: what it had
// counted was gone, and it passed numbers over so that none is given twice.
func (v *verifier) lapsed(after, before uint64) bool {
	return slices.ContainsFunc(v.lapses, func(seq uint64) bool { return after < seq && seq < before })
}

// hole reports the numbers from next to before seq, which are not here.
func (v *verifier) hole(seq uint64) {
	for v.next < seq {
		last, code, text := seq-1, "gap", "records %d to %d are not here yet"
		for _, m := range v.at.Missing {
			switch {
			case m.First <= v.next && v.next <= m.Last:
				code, text, last = "lost", "records %d to %d are lost: they were acknowledged, and are not here", min(last, m.Last)
			case v.next < m.First:
				last = min(last, m.First-1)
			}
		}
		if code == "gap" && v.next <= v.at.Through {
			code, text = "mark", "records %d to %d are acknowledged, and are not here"
		}
		v.find(code, text, v.next, last)
		v.next = last + 1
	}
}

func (v *verifier) decision(n, seq uint64) {
	switch {
	case n == v.n:
		v.find("double", "decision %d is in more than one record, again in %d", n, seq)
		return
	case n > v.n+1 && !v.lapsed(v.seq, seq):
		v.missing += int64(n - v.n - 1)
	}
	v.n, v.seq = n, seq
	v.count.Decisions++
}

func (v *verifier) end() {
	v.hole(v.at.Through + 1)
	if v.missing > v.tombs && len(v.at.Missing) == 0 {
		v.find("decision_gap", "%d of %d decisions are not here, %d of them as tombstones", v.missing, v.n, v.tombs)
	}
	v.report.Epochs = append(v.report.Epochs, v.count)
}
