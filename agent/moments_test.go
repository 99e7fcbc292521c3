package agent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/firmware/update"
)

// provisioned signs a bundle as it lies on a device.
func provisioned(t testing.TB, b *catalog.Bundle) (raw []byte, change func(*Config)) {
	t.Helper()
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	raw = catalog.Encode(b)
	path := filepath.Join(t.TempDir(), "policy.bundle")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	signature, err := update.Sign(raw, secret, fmt.Sprintf("%s@%d", b.Name, b.Version))
	if err == nil {
		err = os.WriteFile(path+".minisig", signature, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw, func(c *Config) { c.BundleFile, c.Trusted = path, []update.PublicKey{public} }
}

// Every decision of a device can be made again from what it kept, and what it kept of a customer goes
// with her key.
func TestMomentsRecomputeAndAreForgotten(t *testing.T) {
	b, findings, err := policy.Compile("../testdata/policies/dealer")
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	raw, change := provisioned(t, b)
	u := &engine.BundleUpdate{Bundle: b, Hash: sha256.Sum256(raw)}
	dir := t.TempDir()
	a := start(t, dir, change)
	said := map[string][]byte{}
	for _, line := range []string{`{"ask":"kiosk.home"}`, `{"identify":"card:1","by":"card"}`, `{"ask":"kiosk.home","intent":"service"}`, `{"ask":"kiosk.home","count":2}`} {
		for _, d := range submit(t, a, line).Decisions {
			said[d.ID] = d.AppendJSON(nil, -1)
		}
	}
	if len(said) != 3 {
		t.Fatalf("%d decisions, want 3", len(said))
	}
	check := func(want int) {
		t.Helper()
		n := 0
		err := a.Moments(func(m moments.Record) bool {
			n++
			p, err := engine.Thaw(u, m.Moment)
			if err != nil {
				t.Fatal(err)
			}
			d := p.Decision()
			d.ID = m.Decision
			if got := d.AppendJSON(nil, -1); !bytes.Equal(got, said[m.Decision]) || len(m.Said.Differs(d)) > 0 {
				t.Errorf("made again\n%s\nwas\n%s\n%v", got, said[m.Decision], m.Said.Differs(d))
			}
			return true
		})
		if err != nil || n != want {
			t.Errorf("%d moments, %v, want %d", n, err, want)
		}
	}
	check(3)
	stop(t, a)
	a = start(t, dir, change)
	check(3)
	submit(t, a, `{"forget":"card:1"}`)
	check(1) // that of nobody in particular
	if s := a.Status().Moments; s.Records != 1 || s.Lost != 0 || s.Damaged != 0 {
		t.Errorf("status %+v", s)
	}
	stop(t, a)
}

// A device whose moments cannot be kept decides all the same.
func TestDecidesWithoutMoments(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, MomentsFolder), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){"in the way": nil, "none": func(c *Config) { c.MaxMoments, c.Dir = -1, t.TempDir() }} {
		t.Run(name, func(t *testing.T) {
			a := start(t, dir, change)
			defer stop(t, a)
			if got := submit(t, a, `{"ask":"kiosk.home"}`); len(got.Decisions) != 1 {
				t.Errorf("%+v", got)
			}
			if err := a.Moments(func(moments.Record) bool { return true }); !errors.Is(err, ErrNoMoments) {
				t.Errorf("moments: %v", err)
			}
		})
	}
}
