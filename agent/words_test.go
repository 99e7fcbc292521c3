package agent

import (
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/sync/wire"
)

// TestReasonCodesAreWordsOfTheWire: a reason code that a decision may give crosses the wire as one byte. One that is
// missing in the list of wire travels written out, in every record that names it.
func TestReasonCodesAreWordsOfTheWire(t *testing.T) {
	p, err := wire.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	size := func(why string) int {
		t.Helper()
		raw, err := wire.AppendRecord(nil, &wire.Decision{N: 1, At: 1, Session: wire.Named("main"), Cause: wire.Named(why),
			Losers: []wire.Loser{{Action: wire.Named("a"), Stage: wire.StageGuard, Reason: wire.Named(why)}}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.Encode(&wire.Batch{Device: "k1", Epoch: 1, First: 1, Records: [][]byte{raw}})
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	known := size("cap_reached")
	if size("unheard_of") <= known {
		t.Fatal("a word that is in no list takes no more than one that is: the test proves nothing")
	}
	for _, r := range catalog.Reasons() {
		if got := size(r.String()); got != known {
			t.Errorf("%s takes %d bytes, one that is in the list %d: add it to the end of the words in sync/wire/words.go", r, got, known)
		}
	}
}
