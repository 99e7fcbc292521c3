package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// Decisions returns decisions in order of arrival, with their outcomes.
func (m *Memory) Decisions(_ context.Context, f Filter) ([]Decided, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Decided
	for k := range m.log {
		r := &m.log[k]
		if r.Kind != wire.KindDecision || r.At < f.Since || int64(k+1) <= f.After || f.Device != "" && f.Device != r.Device {
			continue
		}
		if len(list) == f.limit() {
			break
		}
		d := Decided{Arrival: int64(k + 1), Record: *r}
		if x, epoch, err := d.Decision(); err == nil {
			d.Outcomes = slices.Clone(m.decision[decisionKey{r.Device, epoch, x.N}])
		}
		slices.SortFunc(d.Outcomes, orderOutcomes)
		for _, device := range []string{"", r.Device} {
			if names, ok := wholeTable(m.symbols[symbolKey{r.Bundle, device}]); ok && d.Symbols == nil {
				d.Symbols = names
			}
		}
		list = append(list, d)
	}
	return list, nil
}

func (f Filter) limit() int { return min(max(f.Limit, 1), MaxDecisions) }

// Count counts decisions and what came of them.
func (m *Memory) Count(context.Context) (Counts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := Counts{Records: int64(len(m.log)), Decisions: int64(len(m.decided)), Devices: int64(len(m.devices)), Entries: int64(len(m.entries))}
	for _, outcomes := range m.decision {
		if slices.ContainsFunc(outcomes, func(o hub.Outcome) bool { return o.Outcome == hub.Answered }) {
			c.Answered++
		}
	}
	names := map[string]bool{}
	for _, p := range m.persons {
		names[p] = true
	}
	c.Customers = int64(len(names))
	return c, nil
}

// Verify reads the whole log.
func (m *Memory) Verify(context.Context) (Report, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := verifier{report: Report{Epochs: []EpochCount{}, Findings: []Finding{}}}
	marks := sortedValues(m.marks, func(hub.Mark) bool { return true }, orderMarks)
	for _, mark := range marks {
		v.mark(mark)
		log := m.records[epochKey{mark.Device, mark.Epoch}]
		numbers := make([]uint64, 0, len(log))
		for seq := range log {
			numbers = append(numbers, seq)
		}
		slices.Sort(numbers)
		for _, seq := range numbers {
			r := &m.log[log[seq]-1]
			v.record(seq, r.Kind, r.Body)
		}
		var decided []hub.Decision
		for _, d := range m.decided {
			if d.Device == mark.Device && d.Epoch == mark.Epoch {
				decided = append(decided, d)
			}
		}
		slices.SortFunc(decided, func(a, b hub.Decision) int { return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.Seq, b.Seq)) })
		for _, d := range decided {
			v.decision(d.N, d.Seq)
		}
		v.end()
	}
	return v.report, nil
}

func orderMarks(a, b hub.Mark) int {
	return cmp.Or(strings.Compare(a.Device, b.Device), cmp.Compare(a.Epoch, b.Epoch))
}
