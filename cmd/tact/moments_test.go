package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

const momentsPolicy = `policy: shop
version: 3
currency: EUR
languages: [en]
zone: Europe/Amsterdam
signals:
  people: {type: int, max_age: 5m}
slots:
  door: {channel: kiosk}
actions:
  wave: {intent: service, slots: [door], value: 2.00, propensity: 0.10, bother: 0.05, applicable: "people > 0", say: {en: "Welcome."}}
  nod: {intent: service, slots: [door], value: 1.00, propensity: 0.10, bother: 0.05, say: {en: "Hello."}}
`

// exported makes a policy folder, its bundle, and an export of two decisions on it.
func exported(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	shop := filepath.Join(dir, "shop")
	if err := os.Mkdir(shop, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shop, "policy.yaml"), []byte(momentsPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(shop)
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	m := engine.New(engine.Config{Device: "k", Epoch: 4, Moments: true})
	at := sense.Instant(1_772_442_000_000)
	m.Step(engine.Input{At: at, Bundle: &engine.BundleUpdate{Bundle: b, Hash: catalog.Hash(catalog.Encode(b))}})
	var out []byte
	for _, line := range []string{`{"ask":"door"}`, `{"signal":"people","value":2}`, `{"ask":"door"}`} {
		e, err := event.ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		e.At, e.HasAt, e.Happened = at, true, at
		for _, one := range m.Step(engine.Input{At: at, Events: []event.Event{e}}).Moments {
			out = moments.AppendExport(out, &moments.Record{At: at, Decision: one.Decision.ID, Said: moments.SaidOf(one.Decision), Moment: one.Bytes})
		}
	}
	file = filepath.Join(dir, "k.jsonl")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return shop, file
}

func TestMomentsOfADevice(t *testing.T) {
	shop, file := exported(t)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(filepath.Dir(file), "forged.jsonl")
	if err := os.WriteFile(forged, bytes.Replace(raw, []byte(`"action":"wave"`), []byte(`"action":"roar"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "policy.yaml"), []byte(strings.Replace(momentsPolicy, "2.00", "3.00", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	stored := filepath.Join(filepath.Dir(file), "stored.jsonl")
	const kept = `{"arrival":1,"at":"2026-03-02T09:00:00.000Z","decision":"k-4-2","device":"k","epoch":"4","seq":2,"session":"main","slot":"door","asked":true,"action":"wave","treatment":"say","cause":null,"value":0.15,"propensity":0.1,"probability":1,"uses":["people"],"rejected":[{"action":"nod","stage":"ranked","reason":"lost_by_value"}],"outcomes":[],"answered":false}` + "\n"
	if err := os.WriteFile(stored, []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		name        string
		args        []string
		code        int
		out, errors []string
	}{
		{"replay", []string{"replay", shop, "--moments", file}, 0, []string{`"decision":"k-4-1"`, `"action":"nod"`, `"decision":"k-4-2"`, `"action":"wave"`}, []string{"2 decisions made again, 0 differences"}},
		{"a forged one", []string{"replay", shop, "--moments", forged}, 1, []string{`"action":"wave"`}, []string{"k-4-2: action is wave, was roar", "1 of 2 decisions come out another way"}},
		{"another bundle", []string{"replay", other, "--moments", file}, 1, nil, []string{"decision k-4-1: thaw moment: it is of the bundle", "give the bundle that was in charge"}},
		{"explain the last", []string{"explain", shop, "--moments", file}, 0, []string{"k-4-2 ", "2 value x 0.1 propensity - 0.05 bother = 0.15", "people  signal 2", "for nod to win: worth more than 0.15 (wave): value at least 2.01"}, nil},
		{"explain one", []string{"explain", shop, "--moments", file, "--decision", "k-4-1"}, 0, []string{"k-4-1 ", "for wave to win: people known, and people > 0; then it is worth 0.15"}, nil},
		{"why not", []string{"explain", shop, "--moments", file, "--why-not", "nod", "--json"}, 0, []string{`"why_not":{"action":"nod","never":null,"value":0.151,"changes":[{"stage":"ranked","reason":"lost_by_value"`}, nil},
		{"why not the winner", []string{"explain", shop, "--moments", file, "--why-not", "wave"}, 1, nil, []string{`ask why not "wave": it was not rejected`}},
		{"for the customer", []string{"explain", shop, "--moments", file, "--for-customer"}, 0, []string{`We show "Welcome.", taking into account people, and nothing about you was used for it. You can say no, later or never`}, nil},
		{"none of that name", []string{"explain", shop, "--moments", file, "--decision", "k-4-9"}, 1, nil, []string{"decision k-4-9 is not among the 2 of this input, the last of which is k-4-2"}},
		{"events beside", []string{"replay", shop, "--moments", file, "--events", file}, 2, nil, []string{"--moments is the whole input"}},
		{"stored at the hub", []string{"explain", shop, "--stored", stored}, 0, []string{"k-4-2 ", "2 value x 0.1 propensity - 0.05 bother = 0.15", "nod  lost_by_value"}, nil},
		{"stored, for the customer", []string{"explain", shop, "--stored", stored, "--for-customer", "--language", "de"}, 0, []string{"Wir zeigen dies, unter Berücksichtigung von people, und dafür wurde nichts über Sie verwendet."}, nil},
		{"stored, why not", []string{"explain", shop, "--stored", stored, "--why-not", "nod"}, 2, nil, []string{"--why-not needs what the decision looked at"}},
		{"nothing stored", []string{"explain", shop, "--stored", file}, 1, nil, []string{"tact hub decisions --json"}},
		{"no export", []string{"replay", shop, "--moments", filepath.Join(shop, "policy.yaml")}, 1, nil, []string{"line 1 of the moments", "GET /v1/moments"}},
	} {
		t.Run(one.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(context.Background(), one.args, strings.NewReader(""), &out, &errs)
			if code != one.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, one.code, out.String(), errs.String())
			}
			for _, want := range one.out {
				if !strings.Contains(out.String(), want) {
					t.Errorf("stdout lacks %q:\n%s", want, out.String())
				}
			}
			for _, want := range one.errors {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("stderr lacks %q:\n%s", want, errs.String())
				}
			}
		})
	}
}
