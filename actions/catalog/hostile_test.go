package catalog_test

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever a bundle announces, and wherever: reading it allocates a small multiple of its bytes.
func TestHostileLengthsAllocateLittle(t *testing.T) {
	raw := catalog.Encode(examples(t)["dealer"])
	const behind = 48 << 10
	most := uint64(0)
	for at := 1; at < len(raw); at += 7 {
		for _, list := range []bool{true, false} {
			bad := append([]byte{}, raw[:at]...)
			if list {
				bad = append(bad, 0xdd)
			} else {
				bad = append(bad, 0xdb)
			}
			for _, n := range []uint32{1 << 14, behind, 1<<32 - 1} {
				announced := binary.BigEndian.AppendUint32(bad[:at+1:at+1], n)
				announced = append(announced, make([]byte, behind)...)
				got := allocated(func() {
					if _, err := catalog.Decode(announced); !errors.Is(err, catalog.ErrBundle) {
						t.Errorf("%d announced at byte %d: %v", n, at, err)
					}
				})
				if got > 24*uint64(len(announced)) {
					t.Errorf("%d announced at byte %d: %d bytes allocated for %d", n, at, got, len(announced))
				}
				most = max(most, got)
			}
		}
	}
	if most == 0 {
		t.Error("nothing was ever allocated: this test measures nothing")
	}
}

// The same as long as everything that was announced is there, as small as it can be.
func TestFullListsAllocateLittle(t *testing.T) {
	b := examples(t)["dealer"]
	b.Actions = make([]catalog.Action, 1<<15)
	raw := catalog.Encode(b)
	got := allocated(func() {
		if _, err := catalog.Decode(raw); !errors.Is(err, catalog.ErrBundle) {
			t.Errorf("actions without names pass: %v", err)
		}
	})
	if got > 24*uint64(len(raw)) {
		t.Errorf("%d bytes allocated for %d", got, len(raw))
	}
}

// One input for each way to ask for a place, so that loading takes no longer than the bundle is long.
func TestPlaceIsAskedForOnce(t *testing.T) {
	b := examples(t)["travel"]
	k := slices.IndexFunc(b.Program.Inputs, func(in rule.Input) bool { return in.From == rule.FromInside })
	again := b.Program.Inputs[k]
	again.From, again.Kind, again.Name = rule.FromDistance, sense.Double, "another word for it"
	b.Program.Inputs = append(b.Program.Inputs, again)
	if err := catalog.Check(b); err != nil {
		t.Fatalf("asked for in two ways: %v", err)
	}
	b.Program.Inputs = append(b.Program.Inputs, again)
	if err := catalog.Check(b); err == nil || !strings.Contains(err.Error(), "asked for twice") {
		t.Errorf("asked for twice in one way: %v", err)
	}
}
