package sim_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// cutAndRestored: a mind that is restored from its snapshot at any line decides what the same mind
// decides that was only booted there. Windows and holds begin anew in both.
func cutAndRestored(p *pair) error {
	cut := 1 + int(p.seed*7919)%(len(p.lines)-1)
	before := slices.Clone(p.lines[:cut])
	at := sense.Instant(0)
	for _, l := range before { // some go back, and are refused
		if e, err := event.ParseLine([]byte(l)); err == nil && e.HasAt {
			at = max(at, e.At)
		}
	}
	// A line that closes its step, so that the boot is one of its own.
	before = append(before, fmt.Sprintf(`{"at":%q,"policy":"%s@%d"}`, at, p.bundle.Name, p.bundle.Version))
	after := slices.Concat([]string{
		fmt.Sprintf(`{"at":%q,"boot":{"clock":"synced"}}`, at),
		fmt.Sprintf(`{"at":%q,"link":"up"}`, at),
		fmt.Sprintf(`{"at":%q,"signal":"gate","value":false}`, at),
	}, p.lines[cut:])

	m := engine.New(config())
	playedBy(m, p.bundle, before)
	restored, err := engine.Restore(config(), m.Snapshot(), nil)
	if err != nil {
		return err
	}
	return differ(decided(played(p.bundle, slices.Concat(before, after)), len(played(p.bundle, before).text)), decided(playedBy(restored, p.bundle, after), 0))
}

// decided are the lines of a play from a byte on, without what its boot cleared.
func decided(r *play, from int) []byte {
	var kept [][]byte
	booted := false
	for _, l := range bytes.Split(r.text[from:], []byte("\n")) {
		booted = booted || !bytes.Contains(l, []byte(`"clear":`))
		if booted {
			kept = append(kept, l)
		}
	}
	return bytes.Join(kept, []byte("\n"))
}
