package engine

import (
	"bytes"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/sim/chance"
	"github.com/tact-edge/tact/context/event"
)

// The decisions of random policies come back from their moments as well, to the byte, and what is said
// would have made another win does.
func TestFrozenDecisionsOfRandomPolicies(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() {
		seeds = 8
	}
	made, policies, answers := 0, 0, 0
	for seed := range seeds {
		dir := t.TempDir()
		if err := chance.Policy(seed).Write(dir); err != nil {
			t.Fatal(err)
		}
		b, _, err := policy.Compile(dir)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue // some contradict themselves
		}
		policies++
		u := &BundleUpdate{Bundle: b, Hash: catalog.Hash(catalog.Encode(b))}
		m := New(Config{Device: "d", Epoch: 1, Leased: true, Moments: true, Zone: policy.Zone})
		see := func(o Output) {
			for _, one := range o.Moments {
				p, err := Thaw(u, one.Bytes)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				d := p.Decision()
				d.ID = one.Decision.ID
				if got, want := d.AppendJSON(nil, -1), one.Decision.AppendJSON(nil, -1); !bytes.Equal(got, want) {
					t.Fatalf("seed %d: made again\n%s\nwas\n%s", seed, got, want)
				}
				if made++; made%10 == 0 && p.Smallest().Action != "" {
					answers++
				}
			}
		}
		begun := false
		for _, line := range chance.Events(seed, b, 300) {
			e, err := event.ParseLine([]byte(line))
			if err != nil || begun && e.At < m.Now() {
				continue // some are no good
			}
			if !begun {
				begun = true
				see(m.Step(Input{At: e.At, Bundle: u}))
			}
			m.Advance(e.At, see)
			see(m.Step(Input{At: e.At, Events: []event.Event{e}}))
		}
	}
	t.Logf("%d decisions of %d policies, %d smallest changes", made, policies, answers)
	if made < 100 || policies < int(seeds)/2 || answers == 0 {
		t.Errorf("too little was tried: %d decisions of %d policies, %d answers", made, policies, answers)
	}
}
