package replay

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/tact-edge/tact/agent/engine"
)

// Printer writes what a mind decided as the contract's lines.
type Printer struct {
	W        io.Writer
	Signals  bool // the readings instead of the decisions
	Silence  bool // unasked silences too
	Rejected int  // most rejected candidates of a line; all where negative
	Err      error

	line []byte
}

// InOrder brings the clears and decisions of a step into the contract's order:
// that of session and slot.
func InOrder(o *engine.Output) {
	slices.SortStableFunc(o.Clear, func(a, b engine.Clear) int {
		return cmp.Or(strings.Compare(a.Session, b.Session), strings.Compare(a.Slot, b.Slot))
	})
	slices.SortStableFunc(o.Show, bySlot)
}

func bySlot(a, b *engine.Decision) int {
	return cmp.Or(strings.Compare(a.Session, b.Session), strings.Compare(a.Slot, b.Slot))
}

// Print writes one step. After an error it does nothing.
func (p *Printer) Print(o engine.Output) {
	if p.Signals {
		for k := range o.Readings {
			p.put(o.Readings[k].AppendJSON(p.line[:0]))
		}
		return
	}
	InOrder(&o)
	for k := range o.Clear {
		p.put(o.Clear[k].AppendJSON(p.line[:0]))
	}
	shown := o.Show
	if p.Silence && len(o.Silent) > 0 {
		shown = slices.Clone(o.Show)
		for k := range o.Silent {
			shown = append(shown, &o.Silent[k].Decision)
		}
		slices.SortStableFunc(shown, bySlot)
	}
	for _, d := range shown {
		p.put(d.AppendJSON(p.line[:0], p.Rejected))
	}
}

func (p *Printer) put(line []byte) {
	p.line = append(line, '\n')
	if p.Err == nil {
		_, p.Err = p.W.Write(p.line)
	}
}
