package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tinylib/msgp/msgp"
)

// The record of 14 fields, as somebody would write it without this package: a
// struct and encoding/json, about 416 bytes. The fields are the id, the device, its
// number, two times, the action, eight attributes (one field each in the count: six
// other lists and scalars make the fourteen), one to three reasons, the propensity, the
// value and the outcome.
//
// What each becomes here:
//
//	id           derived: device and epoch of the envelope, N of the decision
//	device       the envelope's, once a batch
//	seq          implicit: the k-th record of a batch has First+k
//	at           Decision.At
//	answered     Outcome.At and Happened: a record of its own, since nobody waits with
//	             the decision until the customer has answered
//	action       Decision.Action, a symbol of the bundle
//	attributes   Decision.Inputs: the symbol, and how old the reading was. No value travels
//	             (section 7 of the contract), so the JSON has the age class as well, and no
//	             value: both say the same. What values would cost in both is the figure of
//	             TestFieldsWithValues
//	reasons      Decision.Losers: who lost at which stage, and why; the JSON has the reason alone
//	propensity   Decision.Propensity, millionths; nothing is lost, the JSON has six places
//	value        Decision.Value, millionths; the same
//	outcome      Outcome.Outcome
//
// Both records of it are counted, in bytes and in time, and a batch of n records holds
// n/2 of them. Figures: wire.record.bytes, .time, .32, .256.
type fields struct {
	ID         string             `json:"id"` // a ULID
	Device     string             `json:"device"`
	Seq        uint64             `json:"seq"`
	At         time.Time          `json:"at"`
	Answered   time.Time          `json:"answered"`
	Action     string             `json:"action"`
	Attributes map[string]float64 `json:"attributes"`
	Reasons    []string           `json:"reasons"`
	Propensity float64            `json:"propensity"`
	Value      float64            `json:"value"`
	Outcome    string             `json:"outcome"`
}

// fieldsSeed is the seed of the 256 records.
const fieldsSeed = 20260302

// table is the symbol table of the bundle: 64 attributes, then 1,000 actions.
func fieldsTable() []string {
	var names []string
	for _, a := range []string{"outside", "cabin", "battery", "visit", "basket", "weather", "tyre", "parking"} {
		for _, b := range []string{"state", "level", "minutes", "age", "trend", "change", "limit", "class"} {
			names = append(names, a+"_"+b)
		}
	}
	for k := range 1000 {
		names = append(names, fmt.Sprintf("offer_%03d_spring", k))
	}
	return names
}

var fieldsOutcomes = []string{"accepted", "dismissed", "ignored", "later"}

// fourteen is one record in both forms.
type fourteen struct {
	json     fields
	decision Decision
	outcome  Outcome
}

// fourteens makes n of them from the seed; values gives the attributes values instead of ages.
func fourteens(n int, values bool) []fourteen {
	r := rand.New(rand.NewPCG(fieldsSeed, 14))
	table, now := fieldsTable(), int64(at)
	out := make([]fourteen, n)
	for k := range out {
		f := &out[k]
		now += 200 + r.Int64N(60_000)
		answered := now + 300 + r.Int64N(20_000)
		action := 64 + r.IntN(1000)
		propensity, value := 1000+r.IntN(200_000), 10_000*r.Int64N(9_000)
		f.json = fields{ID: ulid(r, now), Device: "kiosk-042", Seq: uint64(2*k + 1), At: time.UnixMilli(now).UTC(), Answered: time.UnixMilli(answered).UTC(),
			Action: table[action], Attributes: map[string]float64{}, Propensity: float64(propensity) / 1e6, Value: float64(value) / 1e6,
			Outcome: fieldsOutcomes[r.IntN(len(fieldsOutcomes))]}
		f.decision = Decision{N: uint64(k + 1), At: now, Session: Named("main"), Action: Sym{ID: uint32(action + 1)}, Treatment: TreatmentSay,
			Value: value, Propensity: int32(propensity), Probability: certain}
		for a := range 8 { // one of each eight, so that they are in order of name as in the product
			id, age := 8*a+r.IntN(8), AgeClass(1+r.IntN(5))
			f.decision.Inputs = append(f.decision.Inputs, Input{Sym{ID: uint32(id + 1)}, age})
			f.json.Attributes[table[id]] = float64(age)
			if values {
				f.json.Attributes[table[id]] = float64(r.IntN(10_000)) / 100
			}
		}
		for range 1 + r.IntN(3) {
			why := 10 + r.IntN(60)
			f.json.Reasons = append(f.json.Reasons, words[why])
			f.decision.Losers = append(f.decision.Losers, Loser{Sym{ID: uint32(65 + r.IntN(1000))}, Stage(1 + r.IntN(8)), Named(words[why])})
		}
		f.outcome = Outcome{At: answered, Happened: answered, N: f.decision.N, Outcome: Named(f.json.Outcome), Session: Named("main")}
	}
	return out
}

// ulid is a time in milliseconds and 80 random bits, in the base 32 of ULIDs.
func ulid(r *rand.Rand, ms int64) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	out := make([]byte, 26)
	for k := 9; k >= 0; k-- {
		out[k], ms = digits[ms&31], ms>>5
	}
	for k := 10; k < 26; k++ {
		out[k] = digits[r.IntN(32)]
	}
	return string(out)
}

// fieldsJSON is the mean number of bytes of the JSON form.
func fieldsJSON(t testing.TB, all []fourteen) float64 {
	size := 0
	for k := range all {
		b, err := json.Marshal(&all[k].json)
		if err != nil {
			t.Fatal(err)
		}
		size += len(b)
	}
	return float64(size) / float64(len(all))
}

// fieldsRecords are the records of all, decision and outcome in turn.
func fieldsRecords(t testing.TB, all []fourteen) (records [][]byte, size int) {
	for k := range all {
		for _, r := range []Record{&all[k].decision, &all[k].outcome} {
			raw, err := AppendRecord(nil, r)
			if err != nil {
				t.Fatal(err)
			}
			records, size = append(records, raw), size+len(raw)
		}
	}
	return records, size
}

// fieldsPacked is the mean number of bytes of one of the fourteens in batches of n records.
func fieldsPacked(t testing.TB, records [][]byte, n int) float64 {
	p, size := packer(t), 0
	for first := 0; first < len(records); first += n {
		m, err := p.Encode(&Batch{Device: "kiosk-042", Boot: 3, Epoch: 1 << 60, First: uint64(first + 1), Bundle: BundleID{1, 2, 3}, Clock: sense.ClockSynced,
			Records: records[first : first+n]})
		if err != nil {
			t.Fatal(err)
		}
		size += len(m)
	}
	return float64(size) * 2 / float64(len(records))
}

// The content is the same: what the record says can be written as the JSON again.
func TestFieldsSayTheSame(t *testing.T) {
	table := fieldsTable()
	for _, f := range fourteens(256, false) {
		raw, err := AppendRecord(nil, &f.decision)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := DecodeRecord(raw)
		if err != nil {
			t.Fatal(err)
		}
		d := rec.(*Decision)
		raw, err = AppendRecord(nil, &f.outcome)
		if err != nil {
			t.Fatal(err)
		}
		if rec, err = DecodeRecord(raw); err != nil {
			t.Fatal(err)
		}
		o := rec.(*Outcome)
		action, _ := d.Action.Resolve(table)
		back := fields{ID: f.json.ID, Device: f.json.Device, Seq: f.json.Seq, At: time.UnixMilli(d.At).UTC(), Answered: time.UnixMilli(o.Happened).UTC(), Action: action,
			Attributes: map[string]float64{}, Propensity: float64(d.Propensity) / 1e6, Value: float64(d.Value) / 1e6, Outcome: o.Outcome.Name}
		for _, in := range d.Inputs {
			name, _ := in.Name.Resolve(table)
			back.Attributes[name] = float64(in.Age)
		}
		for _, l := range d.Losers {
			back.Reasons = append(back.Reasons, l.Reason.Name)
		}
		want, err := json.Marshal(&f.json)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(&back); err != nil || string(got) != string(want) || o.N != d.N {
			t.Fatalf("%v\n got %s\nwant %s", err, got, want)
		}
	}
}

// The marks on bytes.
func TestFieldsBytes(t *testing.T) {
	all := fourteens(256, false)
	size := fieldsJSON(t, all)
	if size < 400 || size > 432 {
		t.Errorf("the JSON form takes %.1f bytes: it should be about 416", size)
	}
	records, own := fieldsRecords(t, all)
	for name, c := range map[string]struct{ bytes, most float64 }{
		"uncompressed": {float64(own) / float64(len(all)), 0.24},
		"32 a batch":   {fieldsPacked(t, records, 32), 0.19},
		"256 a batch":  {fieldsPacked(t, records, 256), 0.17},
	} {
		t.Logf("%s: %.1f of %.1f bytes, ratio %.3f", name, c.bytes, size, c.bytes/size)
		if c.bytes > c.most*size {
			t.Errorf("%s: %.1f bytes are more than %.2f of %.1f", name, c.bytes, c.most, size)
		}
	}
}

// withValues gives each decision the values of its attributes as a field that a newer version
// might append: 8 numbers of 32 bits.
func withValues(all []fourteen) []fourteen {
	for k := range all {
		var raw []byte
		names := slices.Sorted(maps.Keys(all[k].json.Attributes)) // the order of the inputs
		for _, name := range names {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(all[k].json.Attributes[name])))
		}
		all[k].decision.Tail = Tail{N: 1, Raw: msgp.AppendBytes(nil, raw)}
	}
	return all
}

// With the values of the attributes on both sides, which do not travel, the marks would hold as well.
func TestFieldsWithValues(t *testing.T) {
	all := withValues(fourteens(256, true))
	size := fieldsJSON(t, all)
	records, own := fieldsRecords(t, all)
	for name, c := range map[string]struct{ bytes, most float64 }{
		"uncompressed": {float64(own) / float64(len(all)), 0.24},
		"32 a batch":   {fieldsPacked(t, records, 32), 0.19},
		"256 a batch":  {fieldsPacked(t, records, 256), 0.17},
	} {
		t.Logf("%s: %.1f of %.1f bytes, ratio %.3f", name, c.bytes, size, c.bytes/size)
		if c.bytes > c.most*size {
			t.Errorf("%s: %.1f bytes are more than %.2f of %.1f", name, c.bytes, c.most, size)
		}
	}
}

func BenchmarkFields(b *testing.B) {
	all := fourteens(256, false)
	decisions, outcomes, texts := make([]Decision, len(all)), make([]Outcome, len(all)), make([]fields, len(all))
	for k := range all { // each side walks over its own
		decisions[k], outcomes[k], texts[k] = all[k].decision, all[k].outcome, all[k].json
	}
	var raw []byte
	var d Decision
	var o Outcome
	own := func() {
		for k := range all {
			var err error
			if raw, err = AppendRecord(raw[:0], &decisions[k]); err == nil {
				err = DecodeInto(raw, &d)
			}
			if err != nil {
				b.Fatal(err)
			}
			if raw, err = AppendRecord(raw[:0], &outcomes[k]); err == nil {
				err = DecodeInto(raw, &o)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	theirs := func() {
		for k := range all {
			text, err := json.Marshal(&texts[k])
			var back fields
			if err == nil {
				err = json.Unmarshal(text, &back)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	own() // the targets have room
	allocs := testing.AllocsPerRun(10, own)
	var ownTime, theirTime time.Duration
	for b.Loop() { // in turn, so that a busy moment hits both
		start := time.Now()
		for range 4 {
			theirs()
		}
		theirTime += time.Since(start) / 4
		runtime.GC() // theirs, not ours; who makes it pays for some of it in the loop above as well
		start = time.Now()
		for range 64 {
			own()
		}
		ownTime += time.Since(start) / 64
	}
	per := float64(b.N * len(all))
	b.ReportMetric(float64(ownTime.Nanoseconds())/per, "wire.record.time:ns")
	b.ReportMetric(float64(theirTime.Nanoseconds())/per, "wire.record.time:ns:peer:encoding-json")
	b.ReportMetric(0.016666, "wire.record.time:ratio-at-most")
	b.ReportMetric(allocs/float64(len(all)), "wire.record.allocs:count")
	b.ReportMetric(0, "wire.record.allocs:count:at-most")
	size := fieldsJSON(b, all)
	records, bytes := fieldsRecords(b, all)
	for name, c := range map[string]struct{ value, most float64 }{
		"bytes": {float64(bytes) / float64(len(all)), 0.24}, "32": {fieldsPacked(b, records, 32), 0.19}, "256": {fieldsPacked(b, records, 256), 0.17},
	} {
		b.ReportMetric(c.value, "wire.record."+name+":bytes")
		b.ReportMetric(size, "wire.record."+name+":bytes:peer:encoding-json")
		b.ReportMetric(c.most, "wire.record."+name+":ratio-at-most")
	}
	all = withValues(fourteens(256, true))
	size = fieldsJSON(b, all)
	records, bytes = fieldsRecords(b, all)
	for name, value := range map[string]float64{
		"bytes": float64(bytes) / float64(len(all)), "32": fieldsPacked(b, records, 32), "256": fieldsPacked(b, records, 256),
	} {
		b.ReportMetric(value, "wire.record.values."+name+":bytes")
		b.ReportMetric(size, "wire.record.values."+name+":bytes:peer:encoding-json")
	}
}
