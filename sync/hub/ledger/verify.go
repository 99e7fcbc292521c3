package ledger

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/sense"
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
	own     bool     // whether that record is the epoch's own
	lapses  []uint64 // records that say that the device lost its state
	missing int64    // decision numbers passed over
	twins   twins    // what the device itself says of somebody who speaks in its name
}

// twins counts reports of a duplicate identity.
type twins struct {
	count uint64
	last  sense.Instant
}

func (v *verifier) find(code, format string, args ...any) {
	if len(v.report.Findings) < maxFindings {
		v.report.Findings = append(v.report.Findings, Finding{Device: v.at.Device, Epoch: v.at.Epoch, Code: code, Text: fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) mark(m hub.Mark) {
	v.at = m
	v.count = EpochCount{Device: m.Device, Epoch: m.Epoch}
	v.next, v.n, v.seq, v.own, v.lapses, v.tombs, v.missing, v.twins = 1, 0, 0, false, nil, 0, 0, twins{}
}

func (v *verifier) record(seq uint64, kind wire.Kind, body []byte) {
	v.hole(seq)
	v.next = seq + 1
	v.count.Records++
	v.count.Last = seq
	if kind == wire.KindMoved {
		v.count.Repeated++
	}
	if kind != wire.KindTombstone && kind != wire.KindReport {
		return
	}
	r, _, err := readRecord(&hub.Record{Body: body})
	if err != nil {
		return
	}
	switch r := r.(type) {
	case *wire.Tombstone:
		v.count.Tombstones = more(v.count.Tombstones, r.Reason, 1)
		if r.Was == wire.KindDecision {
			v.tombs++
		}
	case *wire.Report:
		n := max(r.Count, 1)
		v.count.Reports = more(v.count.Reports, r.Code, int64(min(n, 1<<32)))
		switch r.Code {
		case wire.ReportStoreRecovered:
			v.lapses = append(v.lapses, seq)
		case wire.ReportDuplicateIdentity:
			v.twins = twins{v.twins.count + n, max(v.twins.last, sense.Instant(r.At))}
		}
	}
}

// maxWords bounds the reasons and codes that are counted apart: a device writes what it likes.
const maxWords = 64

func more(counts map[string]int64, word string, n int64) map[string]int64 {
	if counts == nil {
		counts = map[string]int64{}
	}
	if _, known := counts[word]; !known && len(counts) >= maxWords {
		word = "other"
	}
	counts[word] += n
	return counts
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
		for _, m := range v.at.Moved { // counted where they came
			switch {
			case m.First <= v.next && v.next <= m.Last:
				code, last = "", min(last, m.Last)
			case v.next < m.First:
				last = min(last, m.First-1)
			}
		}
		if code == "" {
			v.next = last + 1
			continue
		}
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
	own := seq < hub.Elsewhere
	if n == v.n && own && v.own {
		v.find("double", "decision %d is in more than one record, again in %d", n, seq)
		return
	}
	// A record that was moved may bear the number of another one: a store that was restored gave it twice.
	if n > v.n+1 && !(own && v.lapsed(v.seq, seq)) {
		v.missing += int64(n - v.n - 1)
	}
	v.count.Decisions++
	v.own = own || n == v.n && v.own
	v.n = n
	if own {
		v.seq = seq
	}
}

func (v *verifier) end() {
	v.hole(v.at.Through + 1)
	if v.missing > v.tombs && len(v.at.Missing) == 0 {
		v.find("decision_gap", "%d of %d decisions are not here, %d of them as tombstones", v.missing, v.n, v.tombs)
	}
	if l := v.at.Twins; len(l) == 2 {
		v.find("duplicate_identity", "boot %d of epoch %d and boot %d of epoch %d speak in turn: two machines have this device's identity; enrol one of them anew",
			l[0].Boot, l[0].Epoch, l[1].Boot, l[1].Epoch)
	}
	if v.twins.count > 0 {
		v.find("duplicate_identity", "the device reports %d times that another machine speaks in its name, last at %s: enrol one of them anew", v.twins.count, v.twins.last)
	}
	v.report.Epochs = append(v.report.Epochs, v.count)
}
