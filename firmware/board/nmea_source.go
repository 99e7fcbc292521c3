package board

import (
	"context"
	"slices"
)

// nmeaSource is a GNSS receiver: the decoder on a stream, live.
type nmeaSource struct {
	stream  stream
	source  string
	session string
	signals map[string]string // from the decoder's name to the policy's
}

func newNMEASource(c Config, p Ports) nmeaSource {
	n := nmeaSource{stream: c.stream(p), source: c.Name, session: c.session(), signals: c.Signals}
	if len(n.signals) == 0 {
		n.signals = map[string]string{}
		for _, s := range nmeaSignals {
			n.signals[s] = s
		}
	}
	return n
}

func (n nmeaSource) Feeds() []string { return sortedValues(n.signals) }

func sortedValues(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

func (n nmeaSource) Run(ctx context.Context, to Sink) error {
	d := NewNMEA(true, 0)
	say := func(r Reading) error {
		name, ok := n.signals[r.Signal]
		if !ok {
			return nil
		}
		return to.Emit(live(n.source, n.session, name, r.Value, r.Age))
	}
	err := n.stream.read(ctx, func(p []byte) error { return d.Push(p, say) })
	if err == ErrEnded {
		if fail := d.End(say); fail != nil {
			return fail
		}
	}
	return err
}
