package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/firmware/update"
)

const lawPolicy = `policy: law
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to serve"}}
  news: {basis: legitimate_interest, for: {en: "to tell news"}}
facts:
  size: {type: string, purposes: [news], keep: 2y}
  name.first: {type: string, purposes: [service], keep: 2y}
slots: {home: {channel: kiosk}}
actions:
  hello: {intent: information, purpose: service, slots: [home], value: 3.00, propensity: 0.5, bother: 0.05, say_personal: {en: "Hello {name.first}"}}
  news: {intent: information, purpose: news, slots: [home], eligible: "size == 'M'", value: 1.00, propensity: 0.5, bother: 0.05, say_personal: {en: "News"}}
`

// TestWhatTheLawTookIsGoneFromTheDisk: with the bundle that takes the basis away the facts that were held
// for it leave the state file, before anything else happens, and do not come back from the log.
func TestWhatTheLawTookIsGoneFromTheDisk(t *testing.T) {
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "law.bundle")
	publish := func(text string) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, findings, err := policy.Compile(dir)
		if err != nil || b == nil {
			t.Fatalf("compile: %v %+v", err, findings)
		}
		raw := catalog.Encode(b)
		signature, err := update.Sign(raw, secret, fmt.Sprintf("%s@%d", b.Name, b.Version))
		if err == nil {
			err = os.WriteFile(file, raw, 0o600)
		}
		if err == nil {
			err = os.WriteFile(file+".minisig", signature, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change := func(c *Config) { c.BundleFile, c.Trusted = file, []update.PublicKey{public} }
	facts := func(dir string) (names string) {
		t.Helper()
		s, err := store.Open(store.Options{Dir: dir, DeviceKey: [32]byte{7}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		snap, _, _ := s.State.Load()
		for _, c := range snap.Customers {
			for _, f := range c.Slice.Facts {
				names += f.Name + " "
			}
			for _, p := range c.Pending {
				names += strings.Repeat("M in the log's copy ", strings.Count(fmt.Sprintf("%+v", p.Event.Body), "secret-M"))
			}
		}
		return names
	}
	dir := t.TempDir()
	publish(lawPolicy)
	a := start(t, dir, change)
	got := submit(t, a, `{"identify":"card:1","by":"card"}`, `{"fact":"size","customer":"card:1","value":"secret-M","provenance":"declared"}`, `{"fact":"name.first","customer":"card:1","value":"Anna","provenance":"declared"}`)
	if got.Accepted != 3 {
		t.Fatalf("rejected %v", got.Rejected)
	}
	stop(t, a)
	if held := facts(dir); held != "name.first size M in the log's copy " {
		t.Fatalf("held before: %s", held)
	}
	publish(strings.NewReplacer("version: 1", "version: 2", "news: {basis: legitimate_interest,", "news: {basis: none,").Replace(lawPolicy))
	for range 2 { // and it stays so
		a = start(t, dir, change)
		submit(t, a, `{"tick":true}`) // the loop has come round
		stop(t, a)
		if held := facts(dir); held != "name.first " {
			t.Errorf("still held: %s", held)
		}
	}
}
