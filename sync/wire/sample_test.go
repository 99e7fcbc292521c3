package wire

import (
	"crypto/ed25519"
	"math/rand/v2"

	"github.com/tact-edge/tact/context/sense"
)

var (
	handleA = Handle{0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	signKey = ed25519.NewKeyFromSeed([]byte("a seed for tests, of 32 bytes..."))
)

const at = 1_772_442_000_000 // 2026-03-02T09:00:00Z

// records are one of each kind, with every field set.
func records() map[string]Record {
	return map[string]Record{
		"decision": &Decision{N: 7, At: at, Session: Named("main"), Slot: Sym{ID: 3}, Action: Sym{ID: 300}, Treatment: TreatmentSayPersonal,
			Value: 12_400_000, Propensity: 31_000, Probability: 950_000, Asked: true, Handle: handleA,
			Inputs: []Input{{Sym{ID: 12}, AgeSecond}, {Named("new_signal"), AgeDay}},
			Losers: []Loser{{Sym{ID: 301}, StageGuard, Sym{ID: 41}}, {Sym{ID: 70000}, StageValue, Sym{ID: 60}}},
			Rest:   []Count{{StageEligible, Sym{ID: 20}, 912}, {StageContact, Sym{ID: 55}, 3}},
			Moment: [8]byte{1, 2, 3, 4, 5, 6, 7, 255},
			Listed: []Sym{{ID: 9}, {ID: 8}},
			Price:  []int64{10_000_000, 8_000_000}},
		"silence": &Decision{N: 8, At: at + 1, Session: Named("main"), Slot: Sym{ID: 3}, Propensity: NoPropensity, Probability: 1_000_000,
			Cause: Sym{ID: 77}, Inputs: []Input{}, Losers: []Loser{}, Rest: []Count{}, Listed: []Sym{}, Price: []int64{}},
		"outcome": &Outcome{At: at, Happened: at - 5, Epoch: 1<<63 - 1, N: 7, Outcome: Named("accepted"), Session: Named("main"), Slot: Sym{ID: 3},
			Action: Sym{ID: 300}, Handle: handleA, ID: "tap-1", Source: "screen"},
		"outcome_elsewhere": &Outcome{At: at, Happened: at, Epoch: 5, N: 7, Outcome: Named("never"), Session: Named("main"), Handle: handleA, Device: "kiosk-2"},
		"fact":              &Fact{At: at, Happened: at - 1, Handle: handleA, Name: Sym{ID: 5}, Value: ValueOf(sense.StringValue("M")), Provenance: 1, ID: "f", Source: "kiosk"},
		"fact_of_owner": &Fact{At: at, Happened: at, Owner: "vehicle-9", Name: Named("doors"),
			Value: ValueOf(sense.ListValue([]sense.Value{sense.IntValue(-3), sense.BoolValue(true), sense.ListValue(nil)})), Provenance: 4},
		"consent":     &Consent{At: at, Happened: at, Handle: handleA, Purpose: Sym{ID: 2}, Granted: true, Text: "v3", Expires: at + 1000, ID: "c", Source: "kiosk"},
		"objection":   &Objection{At: at, Happened: at, Handle: handleA, Purpose: Sym{ID: 2}, Raised: true, ID: "o", Source: "phone"},
		"restrict":    &Restrict{At: at, Happened: at, Handle: handleA, On: true, ID: "r", Source: "phone"},
		"interaction": &Interaction{At: at, Happened: at, Handle: handleA, What: Sym{ID: 4}, About: "product:model-x/gti", Channel: Named("shop"), Ref: "c1", Value: ValueOf(sense.MoneyValue(19_990_000)), Due: at + 9, ID: "i", Source: "till"},
		"identified":  &Identified{At: at, Handle: handleA, Sealed: []byte{9, 8, 7}, Session: Named("main"), By: 3, Strength: 1_000_000},
		"forgotten":   &Forgotten{At: at, ID: "forget-1", Handle: handleA, Erased: [][32]byte{{0xe1, 31: 1}, {0xe2, 31: 2}}},
		"tombstone":   &Tombstone{At: at, Was: KindFact, Reason: TombErased},
		"moved":       &Moved{Epoch: 5, Seq: 1 << 40, Body: []byte{10, 0x93, 1, 3, 0xa1, 'x'}},
		"report":      &Report{At: at, Code: ReportDropped, Detail: "outbox", Count: 12},
		"sealed":      &Sealed{Was: KindConsent, Handle: handleA, Body: []byte{1, 2, 3}},
	}
}

// downs are one message of each kind, by class.
func downs() map[string]DownMessage {
	return map[string]DownMessage{
		"slice": &Slice{Handle: handleA, Revision: 9, Until: at + 1, ThroughEpoch: 5, Through: 77, Customer: "anna", Owners: []Owner{{"vehicle", "v-1"}},
			Facts:        []SliceFact{{"size", "", ValueOf(sense.StringValue("M")), 1, "web", at}, {"home", "", ValueOf(sense.PositionValue(sense.Point{Lat: 481_370_000, Lon: -1_157_000}, 5000)), 2, "", at}},
			Consents:     []SliceConsent{{"ads", false, true, "v2", at, 0, "app"}},
			Objections:   []SliceObjection{{"profiling", true, at, "phone"}},
			Restricted:   true,
			Interactions: []SliceInteraction{{"purchase", "product:model-x", "shop", "r1", at, 0, ValueOf(sense.Value{}), "i9", "till"}},
			Re:           "s-1", Exposures: sampleExposures(), Budgets: []Budget{{"three a week", "", 2}, {"once a model", "model-x", 1}}, BudgetUntil: at + 900_000,
			Each: []BudgetEach{{"once a model", 1, []string{"model-y"}, BundleID{1, 2, 3}}}},
		"slice/bare": &Slice{Handle: handleA, Revision: 1, Until: at, Customer: "anna"},
		"slice/delta": &Delta{Handle: handleA, Base: 9, Revision: 10, Until: at + 1, ThroughEpoch: 5, Through: 79, Customer: "anna", Restricted: true,
			Facts:        []SliceFact{{"size", "", ValueOf(sense.StringValue("L")), 1, "web", at}},
			Consents:     []SliceConsent{{"ads", true, true, "v3", at, at + 5, "app"}},
			Objections:   []SliceObjection{{"profiling", false, at, "phone"}},
			Interactions: []SliceInteraction{{"complaint", "order:7", "phone", "r2", at, 0, ValueOf(sense.Value{}), "i10", "desk"}},
			Exposures:    sampleExposures(), Budgets: []Budget{{"three a week", "", 1}}, BudgetUntil: at + 1000, Re: "s-4",
			Each: []BudgetEach{{"once a model", 1, []string{"model-y", "model-z"}, BundleID{5}}}},
		"slice/unchanged": &Unchanged{Handle: handleA, Revision: 9, Until: at, ThroughEpoch: 5, Through: 78, Re: "s-2",
			Budgets: []Budget{{"three a week", "", 3}}, BudgetUntil: at + 7, Each: []BudgetEach{{"once a model", 2, nil, BundleID{4}}}},
		"slice/forget": &Forget{Handle: handleA, ID: "forget-1", Re: "s-3"},
		"ack":          &Ack{Epoch: 1<<63 - 1, Through: 100, Ranges: []Range{{102, 103}, {200, 456}}, Time: at, Re: "h-1"},
		"blob":         &Blob{ID: "00ff", Index: 2, Of: 3, Bytes: []byte("chunk"), Re: "b-1"},
		"sig":          &SiteSignal{Name: "stock", Value: ValueOf(sense.IntValue(4)), Happened: at, Until: at + 1},
	}
}

func sampleExposures() []SliceExposure {
	return []SliceExposure{
		{"kiosk-1-5-7", "winter_tyres", "sell", "tyres", "product:tyres", "screen", "home", at, at + 2, false, []SliceOutcome{{"shown", at + 2}, {"later", at + 9}}},
		{"kiosk-2-9-1", "summer", "", "", "", "", "home", at - 5, 0, true, []SliceOutcome{{"failed", at}}},
	}
}

// documents are the JSON ones.
func documents() map[string]any {
	ref := BundleRef{"shop", "1.2", "ab12"}
	return map[string]any{
		"conn":   &Conn{Online, 1<<63 - 1, 17, at, "1z141z3"},
		"birth":  &Birth{Version: "0.1", Arch: "arm64", Schema: [2]int{1, 1}, Bundle: ref, Epoch: 1<<63 - 1, First: 3, Next: 9, Clock: "synced", Boot: 2, Sources: []string{"speed"}},
		"rep":    &Reported{Revision: 4, Items: []Item{{"bundle", "signature is not right"}, {"hub_key", ""}}, Bundle: ref},
		"health": &Health{At: at, Figures: map[string]int64{"rss_bytes": 5, "outbox_records": 2}},
		"want":   &Want{Revision: 8, Bundle: &WantBundle{"shop", "1.3", 4096, "cd34", "untrusted comment: x\nRWQ=\n"}, HubKey: []byte{1, 2}, Keys: [][]byte{{3}}, Time: at},
	}
}

func requests() map[string]Request {
	return map[string]Request{
		"hello":   &Hello{ID: "h-1", Epoch: 1<<63 - 1, First: 3, Next: 9, Handles: []Held{{handleA, 4}}, Want: 8},
		"slice":   &SliceRequest{ID: "s-1", Handle: handleA, Customer: []byte{1, 2}, Session: "main", Owners: []Owner{{"vehicle", "v-1"}}},
		"blob":    &BundleRequest{ID: "b-1", SHA256: "cd34", Index: 3, Count: 2},
		"budget":  &BudgetRequest{ID: "u-1", Handle: handleA, Revision: 9, Epoch: 1<<63 - 1, Through: 77, Return: true},
		"budgets": &BudgetRequest{ID: "u-2", Handle: AllHandles(), Epoch: 1<<63 - 1, Through: 77, Return: true, At: at, But: []Handle{handleA}},
		"echo":    &Echo{ID: "e-1"},
		"symbols": &SymbolTable{Re: "y-1", Bundle: BundleID{1}, From: 0, Of: 2, Names: []string{"a", "b"}},
	}
}

func commands() map[string]Command {
	return map[string]Command{
		"echo":    &EchoAnswer{Re: "e-1", Time: at},
		"symbols": &SymbolsWanted{ID: "y-1", Bundle: BundleID{1}},
		"epoch":   &NewEpoch{ID: "n-1", Epoch: 1<<63 - 1},
		"rebirth": &Rebirth{ID: "r-1"},
	}
}

// lifelike is a decision among 1,000 actions, as a device makes them: a visitor
// stays for about five decisions, each with ten losers and the rest counted.
func lifelike(r *rand.Rand, n uint64, now int64, h Handle) *Decision {
	d := &Decision{N: n, At: now, Session: Named("main"), Slot: Sym{ID: uint32(1 + r.IntN(4))}, Action: Sym{ID: uint32(100 + r.IntN(1000))},
		Treatment: TreatmentSay, Value: r.Int64N(90_000_000), Propensity: int32(r.IntN(200_000)), Probability: uint32(900_000 + r.IntN(100_001)),
		Asked: r.IntN(2) == 0, Handle: h}
	if r.IntN(4) == 0 {
		d.Action, d.Treatment, d.Value, d.Propensity, d.Cause = Sym{}, TreatmentNone, 0, NoPropensity, Sym{ID: uint32(20 + r.IntN(60))}
	}
	for k := range 6 {
		d.Inputs = append(d.Inputs, Input{Sym{ID: uint32(1200 + 40*k + r.IntN(40))}, AgeClass(1 + r.IntN(5))})
	}
	for range 10 {
		d.Losers = append(d.Losers, Loser{Sym{ID: uint32(100 + r.IntN(1000))}, Stage(7 + r.IntN(4)), Sym{ID: uint32(20 + r.IntN(60))}})
	}
	for k := range 8 {
		d.Rest = append(d.Rest, Count{Stage(3 + k/2), Sym{ID: uint32(20 + 5*k)}, uint32(r.IntN(200))})
	}
	for k := range d.Moment {
		d.Moment[k] = byte(r.Uint32())
	}
	return d
}

// lifelikeBatch encodes n of them.
func lifelikeBatch(n int) *Batch {
	r := rand.New(rand.NewPCG(1, 1))
	b := &Batch{Device: "kiosk-1", Boot: 3, Epoch: 1 << 60, First: 1, Bundle: BundleID{1, 2, 3}, Clock: sense.ClockSynced}
	now, h := int64(at), Handle{}
	for k := range n {
		if k%5 == 0 {
			for i := range h {
				h[i] = byte(r.Uint32())
			}
		}
		now += 200 + r.Int64N(60_000)
		raw, err := AppendRecord(nil, lifelike(r, uint64(k+1), now, h))
		if err != nil {
			panic(err)
		}
		b.Records = append(b.Records, raw)
	}
	return b
}
