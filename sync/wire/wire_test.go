package wire

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tinylib/msgp/msgp"
)

var update = flag.Bool("update", false, "write golden files")

// golden compares with testdata/name; bytes that are not text stand there in hex.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if !strings.HasSuffix(name, ".json") {
		got = []byte(hex.EncodeToString(got))
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: the bytes on the wire changed: devices in the field read the old ones\n got %s\nwant %s", name, got, want)
	}
}

func TestRecords(t *testing.T) {
	for name, r := range records() {
		raw, err := AppendRecord(nil, r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, "record-"+name+".hex", raw)
		if err := CheckRecord(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		back, err := DecodeRecord(raw)
		if err != nil || !reflect.DeepEqual(plain(back), plain(r)) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, back, r)
		}
		// Cut anywhere, or followed by anything, it is an error.
		for k := range raw {
			if _, err := DecodeRecord(raw[:k]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut at %d: %v", name, k, err)
			}
		}
		if _, err := DecodeRecord(append(slices.Clone(raw), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s and a byte more: %v", name, err)
		}
	}
}

// plain makes records comparable: an empty tail is no tail.
func plain(r Record) string {
	if t, _ := r.tail(); t != nil && len(t.Raw) == 0 {
		t.Raw = nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	v := ""
	switch r := r.(type) {
	case *Fact:
		v = r.Value.String()
	case *Interaction:
		v = r.Value.String()
	}
	return strings.ReplaceAll(string(b), "[]", "null") + v // an empty list is no list
}

// Every record knows how many fields it has, or a newer record would be read wrongly.
func TestFieldCounts(t *testing.T) {
	for name, r := range records() {
		raw, err := r.MarshalMsg(nil) // the form of schema 1, which decisions and outcomes have as well
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := msgp.ReadArrayHeaderBytes(raw)
		if _, known := r.tail(); err != nil || int(n) != known {
			t.Errorf("%s writes %d fields and knows %d", name, n, known)
		}
	}
}

// Decisions of before prices were carried are read, into one that was used before as well.
func TestDecisionOfAnOlderVersion(t *testing.T) {
	raw, err := hex.DecodeString("01dc001107d30000019cadc69a80a46d61696e03cd012c02d200bd3580d17918ce000e7ef000c3c410a102030405060708090a0b0c0d0e0f1092920c0192aa6e65775f7369676e616c049293cd012d072993ce00011170093c92930414cd039093083703c40801020304050607ff920908")
	if err != nil {
		t.Fatal(err)
	}
	want := *records()["decision"].(*Decision)
	want.Price = nil
	used := Decision{Price: []int64{1, 2}}
	for _, d := range []*Decision{{}, &used} {
		if err := DecodeInto(raw, d); err != nil || plain(d) != plain(&want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, d, want)
		}
	}
}

// Receipts of before tombstones were carried are read, into one that was used before as well.
func TestForgottenOfAnOlderVersion(t *testing.T) {
	raw, err := hex.DecodeString("0993d30000019cadc69a80a8666f726765742d31c410a102030405060708090a0b0c0d0e0f10")
	if err != nil {
		t.Fatal(err)
	}
	got := Forgotten{Erased: [][32]byte{{1}}}
	if err := DecodeInto(raw, &got); err != nil || got.At != at || got.ID != "forget-1" || got.Handle != handleA || len(got.Erased) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestForgottenIsBounded(t *testing.T) {
	for n, want := range map[int]error{256: nil, 257: ErrMalformed} {
		raw, err := AppendRecord(nil, &Forgotten{At: at, Erased: make([][32]byte, n)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeRecord(raw); !errors.Is(err, want) {
			t.Errorf("%d tombstones: %v, want %v", n, err, want)
		}
	}
}

// A newer version appends fields; an older one wrote fewer.
func TestVersions(t *testing.T) {
	extra := msgp.AppendString(nil, "of a newer version")
	extra = msgp.AppendMapHeader(extra, 1)
	extra = msgp.AppendInt(msgp.AppendString(extra, "k"), 4)
	for name, r := range records() {
		raw, err := AppendRecord(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		n, fields, _ := msgp.ReadArrayHeaderBytes(raw[1:])
		newer := msgp.AppendArrayHeader([]byte{raw[0]}, n+2)
		newer = append(append(newer, fields...), extra...)
		back, err := DecodeRecord(newer)
		if err != nil {
			t.Errorf("%s with two fields more: %v", name, err)
			continue
		}
		again, err := AppendRecord([]byte("before"), back)
		if err != nil || !bytes.Equal(again, append([]byte("before"), newer...)) {
			t.Errorf("%s with two fields more is written back as %x, want %x: %v", name, again, newer, err)
		}
		// The same struct reads a record without them, and forgets them.
		if err := DecodeInto(raw, back); err != nil || plain(back) != plain(r) {
			t.Errorf("%s read into a used record: %v", name, err)
		}
		// Only the first field: the others are zero, also in a used record.
		one, err := skip(fields, MaxDepth)
		if err != nil {
			t.Fatal(err)
		}
		older := append(msgp.AppendArrayHeader([]byte{raw[0]}, 1), fields[:len(fields)-len(one)]...)
		fresh := NewRecord(r.Kind())
		if err := DecodeInto(older, fresh); err != nil {
			t.Errorf("%s with one field: %v", name, err)
		}
		if err := DecodeInto(older, back); err != nil || plain(back) != plain(fresh) {
			t.Errorf("%s with one field keeps what an older record held: %+v", name, back)
		}
	}
}

func TestUnknownKindIsKeptWhole(t *testing.T) {
	raw := []byte{100, 0x92, 0x01, 0xa1, 'x'}
	r, err := DecodeRecord(raw)
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := r.(*Unknown); !ok || u.Kind() != 100 || !u.Kind().Context() {
		t.Fatalf("%#v", r)
	}
	if again, err := AppendRecord(nil, r); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("written back as %x: %v", again, err)
	}
}

func TestValues(t *testing.T) {
	deep := sense.IntValue(1)
	for range MaxDepth {
		deep = sense.ListValue([]sense.Value{deep})
	}
	for _, v := range []sense.Value{{}, sense.BoolValue(true), sense.BoolValue(false), sense.IntValue(math.MinInt64), sense.IntValue(math.MaxInt64),
		sense.DoubleValue(0.1), sense.DoubleValue(math.Inf(-1)), sense.StringValue("ä\x00"), sense.StringValue(""),
		sense.PositionValue(sense.Point{Lat: -900_000_000, Lon: 1_800_000_000}, sense.NoAccuracy), sense.LengthValue(sense.Forever),
		sense.TimestampValue(sense.Never), sense.DateValue(-1), sense.MoneyValue(-1), sense.ListValue([]sense.Value{{}, sense.StringValue("x")})} {
		b, err := ValueOf(v).MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > ValueOf(v).Msgsize() {
			t.Errorf("%s takes %d bytes, its bound says %d", v, len(b), ValueOf(v).Msgsize())
		}
		var back Value
		rest, err := back.UnmarshalMsg(append(b, 0x2a))
		if err != nil || len(rest) != 1 || !back.Equal(v) || back.Kind() != v.Kind() {
			t.Errorf("%s %s came back as %s: %v", v.Kind(), v, back, err)
		}
	}
	b, err := ValueOf(deep).MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := new(Value).UnmarshalMsg(b); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a list in a list in a list ...: %v", err)
	}
	for name, b := range map[string][]byte{
		"no kind": {0x90}, "kind 11": {0x92, 11, 0}, "null as array": {0x92, 0, 0}, "int of three": {0x93, 2, 1, 1},
		"position of two": {0x92, 5, 1}, "text for a number": {0x92, 2, 0xa1, 'x'}, "long list": {0xdd, 0xff, 0xff, 0xff, 0xff, 10},
		"list that is not there": {0xdc, 0x04, 0x00, 10},
	} {
		if _, err := new(Value).UnmarshalMsg(b); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestSymbols(t *testing.T) {
	table := []string{"a", "b"}
	for _, c := range []struct {
		s    Sym
		name string
		ok   bool
	}{{Sym{}, "", true}, {Sym{ID: 1}, "a", true}, {Sym{ID: 2}, "b", true}, {Sym{ID: 3}, "", false}, {Sym{ID: math.MaxUint32}, "", false}, {Named("z"), "z", true}} {
		if name, ok := c.s.Resolve(table); name != c.name || ok != c.ok {
			t.Errorf("%+v is %q, %v", c.s, name, ok)
		}
	}
	if _, err := AppendRecord(nil, &Decision{Slot: Named(strings.Repeat("x", MaxName+1))}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a long name: %v", err)
	}
}

func TestDown(t *testing.T) {
	for name, m := range downs() {
		b, err := EncodeDown(m)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "down-"+strings.ReplaceAll(name, "/", "-")+".hex", b)
		class, _, _ := strings.Cut(name, "/")
		back, err := DecodeDown(class, b)
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, back, m)
		}
		for k := range b {
			if _, err := DecodeDown(class, b[:k]); err == nil {
				t.Errorf("%s cut at %d was taken", name, k)
			}
		}
		for _, other := range []string{ClassSlice, ClassAck, ClassBlob, ClassSig, ClassWant} {
			if other == class {
				continue
			}
			if _, err := DecodeDown(other, b); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s was taken as %s: %v", name, other, err)
			}
		}
	}
	many := &Ack{Epoch: 1, Ranges: make([]Range, MaxRanges+1)}
	b, err := many.MarshalMsg([]byte{4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeDown(ClassAck, b); err == nil {
		t.Error("an ack of 17 ranges was taken")
	}
}

func TestDocuments(t *testing.T) {
	for name, v := range documents() {
		b, err := EncodeJSON(v)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "doc-"+name+".json", b)
		back := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if err := DecodeJSON(append(b[:len(b)-1:len(b)-1], `,"of_a_newer_version":1}`...), back); err != nil || !reflect.DeepEqual(back, v) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, back, v)
		}
	}
	for name, r := range requests() {
		b, err := EncodeRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "req-"+name+".json", b)
		if back, err := DecodeRequest(b); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, back, r)
		}
	}
	for name, c := range commands() {
		b, err := EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "cmd-"+name+".json", b)
		if back, err := DecodeCommand(name, b); err != nil || c.Name() != name || !reflect.DeepEqual(back, c) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, back, c)
		}
	}
	for _, bad := range []string{"", "null", "[]", `{"request":"sing"}`, `{"request":"hello","epoch":5}`, `{"request":"slice","handle":"xy"}`, `{"request":"slice","handle":"A1020304050607080910111213141516"}`} {
		if r, err := DecodeRequest([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("request %s: %+v, %v", bad, r, err)
		}
	}
	if _, err := DecodeConn([]byte(`{"state":"asleep"}`)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a third state: %v", err)
	}
	if err := DecodeJSON(bytes.Repeat([]byte(" "), MaxMessage+1), &Conn{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a long document: %v", err)
	}
}

func TestSigned(t *testing.T) {
	keys := KeysOf(signKey.Public().(ed25519.PublicKey))
	want, err := EncodeJSON(documents()["want"])
	if err != nil {
		t.Fatal(err)
	}
	const topic = "tact/v1/acme/kiosk-1/dn/want"
	for name, payload := range map[string][]byte{"json": want, "msgp": {4, 0x90}, "empty": {}} {
		m, err := Sign(topic, payload, signKey)
		if err != nil {
			t.Fatal(err)
		}
		ext := ".hex"
		if name == "json" {
			ext = ".json"
			if !json.Valid(m) {
				t.Errorf("not JSON: %s", m)
			}
		}
		golden(t, "signed-"+name+ext, m)
		if got, err := Open(topic, m, keys); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := Open("tact/v1/acme/kiosk-2/dn/want", m, keys); !errors.Is(err, ErrSignature) {
			t.Errorf("%s was taken on another device's topic: %v", name, err)
		}
		if _, err := Open(topic, m, Keys{}); !errors.Is(err, ErrSignature) {
			t.Errorf("%s was taken from a key that is not trusted: %v", name, err)
		}
		for k := range m { // no byte may change and still say something else
			harmed := slices.Clone(m)
			harmed[k] ^= 1
			if got, err := Open(topic, harmed, keys); err == nil && !bytes.Equal(got, payload) {
				t.Fatalf("%s: byte %d changed, and it says %q", name, k, got)
			}
		}
	}
	if _, err := Sign(topic, make([]byte, MaxMessage), signKey); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
}

func TestSealToHub(t *testing.T) {
	hub, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	pub := hub.PublicKey().Bytes()
	sealed, err := SealToHub(pub, [32]byte{1}, handleA, "card:123")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("123")) {
		t.Error("it can be read")
	}
	if c, err := OpenAtHub(hub, handleA, sealed); err != nil || c != "card:123" {
		t.Errorf("opened %q: %v", c, err)
	}
	other, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAtHub(other, handleA, sealed); !errors.Is(err, ErrSeal) {
		t.Errorf("another key: %v", err)
	}
	if _, err := OpenAtHub(hub, Handle{1}, sealed); !errors.Is(err, ErrSeal) {
		t.Errorf("another handle: %v", err)
	}
	for k := range sealed {
		if _, err := OpenAtHub(hub, handleA, sealed[:k]); !errors.Is(err, ErrSeal) {
			t.Fatalf("cut at %d: %v", k, err)
		}
	}
	if _, err := SealToHub(pub[:31], [32]byte{1}, handleA, "x"); err == nil {
		t.Error("a short key was taken")
	}
}

func TestBatch(t *testing.T) {
	p := packer(t)
	for _, n := range []int{1, packFrom - 1, packFrom, MaxRecords} {
		b := lifelikeBatch(n)
		m, err := p.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		m2, err := packer(t).Encode(b)
		if err != nil || !bytes.Equal(m, m2) {
			t.Errorf("%d records: the same batch gave other bytes, %v", n, err)
		}
		back, err := unpacker(t).Decode(m)
		b.Version = SchemaVersion
		if err != nil || !reflect.DeepEqual(back, b) {
			t.Errorf("%d records came back otherwise: %v", n, err)
		}
		b.Version = 0
	}
	small := lifelikeBatch(2)
	m, err := p.Encode(small)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "batch-2.hex", m)
}

func unpacker(t testing.TB) *Unpacker {
	t.Helper()
	u, err := NewUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func packer(t testing.TB) *Packer {
	t.Helper()
	p, err := NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBatchLimits(t *testing.T) {
	p := packer(t)
	record, err := AppendRecord(nil, records()["silence"])
	if err != nil {
		t.Fatal(err)
	}
	zip, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := zip.EncodeAll(make([]byte, 64<<20), nil)
	good := envelope{Version: 1, Device: "d", Epoch: 1, First: 1, N: 1, Body: record}
	twice := append(zip.EncodeAll(make([]byte, MaxBody-1), nil), zip.EncodeAll(make([]byte, MaxBody-1), nil)...)
	nested := append([]byte{1}, bytes.Repeat([]byte{0x91}, 5000)...)
	for name, c := range map[string]struct {
		change func(*envelope)
		want   error
	}{
		"good":               {func(*envelope) {}, nil},
		"version of later":   {func(e *envelope) { e.Version = 9 }, nil},
		"no version":         {func(e *envelope) { e.Version = 0 }, ErrMalformed},
		"no records":         {func(e *envelope) { e.N = 0 }, ErrTooLarge},
		"257 records":        {func(e *envelope) { e.N = 257; e.Body = bytes.Repeat(record, 257) }, ErrTooLarge},
		"one too few":        {func(e *envelope) { e.N = 2 }, ErrMalformed},
		"one too many":       {func(e *envelope) { e.Body = bytes.Repeat(record, 2) }, ErrMalformed},
		"from 0":             {func(e *envelope) { e.First = 0 }, ErrMalformed},
		"to the end":         {func(e *envelope) { e.First = math.MaxUint64 }, ErrMalformed},
		"device":             {func(e *envelope) { e.Device = "../x" }, ErrMalformed},
		"clock":              {func(e *envelope) { e.Clock = 3 }, ErrMalformed},
		"codec":              {func(e *envelope) { e.Codec = 2 }, ErrMalformed},
		"not compressed":     {func(e *envelope) { e.Codec = 1 }, ErrMalformed},
		"bomb":               {func(e *envelope) { e.Codec = 1; e.Body = bomb }, ErrMalformed},
		"bomb in two frames": {func(e *envelope) { e.Codec = 1; e.Body = twice }, ErrMalformed},
		"no array":           {func(e *envelope) { e.Body = []byte{1, 0xa1, 'x'} }, ErrMalformed},
		"nested":             {func(e *envelope) { e.Body = nested }, ErrTooLarge},
		"huge count":         {func(e *envelope) { e.Body = []byte{1, 0xdd, 0xff, 0xff, 0xff, 0xff} }, ErrMalformed},
	} {
		e := good
		c.change(&e)
		m, err := e.MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unpacker(t).Decode(m); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, m := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "long": make([]byte, MaxMessage+1)} {
		if _, err := unpacker(t).Decode(m); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for name, b := range map[string]*Batch{
		"none":     {Device: "d", First: 1},
		"too many": {Device: "d", First: 1, Records: make([][]byte, MaxRecords+1)},
		"from 0":   {Device: "d", Records: [][]byte{record}},
	} {
		if _, err := p.Encode(b); err == nil {
			t.Errorf("encoded %s", name)
		}
	}
}

// The marks: at 256 a batch, a decision among 1,000 actions takes at most 200 bytes.
func TestBytesPerDecision(t *testing.T) {
	m, err := packer(t).Encode(lifelikeBatch(256))
	if err != nil {
		t.Fatal(err)
	}
	if per := len(m) / 256; per > 200 {
		t.Errorf("%d bytes a decision", per)
	}
}

func TestNoAllocation(t *testing.T) {
	b := lifelikeBatch(64)
	var d Decision
	buf := make([]byte, 0, 4096)
	for _, raw := range b.Records { // room for the largest
		if err := DecodeInto(raw, &d); err != nil {
			t.Fatal(err)
		}
	}
	k := 0
	if n := testing.AllocsPerRun(100, func() {
		if err := DecodeInto(b.Records[k%64], &d); err != nil {
			t.Fatal(err)
		}
		out, err := AppendRecord(buf[:0], &d)
		if err != nil || !bytes.Equal(out, b.Records[k%64]) {
			t.Fatal("not the same bytes", err)
		}
		k++
	}); n != 0 {
		t.Errorf("%v allocations for reading and writing a decision", n)
	}
}

func TestTopics(t *testing.T) {
	longest := strings.Repeat("x", 64)
	good := map[string]Topic{
		"tact/v1/acme/kiosk-1/st/conn":             {Tenant: "acme", Device: "kiosk-1", Plane: State, Class: ClassConn},
		"tact/v1/acme/kiosk-1/up/log":              {Tenant: "acme", Device: "kiosk-1", Plane: Up, Class: ClassLog},
		"tact/v1/acme/k/dn/slice/" + longest:       {Tenant: "acme", Device: "k", Plane: Down, Class: ClassSlice, Name: longest},
		"tact/v1/acme/_hub/st/conn":                {Tenant: "acme", Hub: true, Plane: State, Class: ClassConn},
		"tact/v1/acme/_g-shops_1/dn/want":          {Tenant: "acme", Group: "shops_1", Plane: Down, Class: ClassWant},
		"tact/v1/" + longest + "/9/dn/cmd/rebirth": {Tenant: longest, Device: "9", Plane: Down, Class: ClassCmd, Name: "rebirth"},
	}
	for s, want := range good {
		got, err := ParseTopic(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("%s: %+v, %v, built again %s", s, got, err, got)
		}
	}
	for _, s := range []string{"", "tact", "tact/v1", "/tact/v1/a/b/st/conn", "tact/v2/a/b/st/conn", "tact/v1/a/b/st", "tact/v1/a/b/st/conn/",
		"tact/v1/a/b/st/conn/x", "tact/v1/a/b/xx/conn", "tact/v1/a/b/up/conn", "tact/v1//b/st/conn", "tact/v1/a//st/conn",
		"tact/v1/a/_b/st/conn", "tact/v1/a/-b/st/conn", "tact/v1/_a/b/st/conn", "tact/v1/a/b c/st/conn", "tact/v1/a/b+/st/conn", "tact/v1/a/#",
		"tact/v1/a/" + longest + "x/st/conn", "tact/v1/a/b/dn/slice", "tact/v1/a/b/dn/slice/", "tact/v1/a/b/dn/slice/x/y", "tact/v1/a/b/dn/slice/_x",
		"tact/v1/a/_hub/up/log", "tact/v1/a/_hub/dn/want", "tact/v1/a/_g-x/dn/ack", "tact/v1/a/_g-/dn/want", "tact/v1/a/_g-_x/dn/want",
		"tact/v1/a/é/st/conn", "tact/v1/a/b/st/Conn"} {
		if got, err := ParseTopic(s); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q was taken as %+v: %v", s, got, err)
		}
	}
	if n := strings.Count(Path{"a", "b"}.Named(Down, ClassSlice, "x"), "/"); n > 7 {
		t.Errorf("%d slashes", n)
	}
	if got := (Path{"acme", "k"}).Below(); got != "tact/v1/acme/k/dn/#" {
		t.Errorf("a device reads %s", got)
	}
}

func TestAgeClasses(t *testing.T) {
	for ms, want := range map[int64]AgeClass{-1: AgeNone, 0: AgeSecond, 1000: AgeSecond, 1001: AgeMinute, 60_000: AgeMinute, 60_001: AgeHour,
		86_400_000: AgeDay, 30 * 86_400_000: AgeMonth, 30*86_400_000 + 1: AgeOlder} {
		if got := AgeClassOf(ms); got != want {
			t.Errorf("%d ms is class %d, want %d", ms, got, want)
		}
	}
	for s := StageQuiet; s <= StageTreatment; s++ {
		if back, ok := ParseStage(s.String()); !ok || back != s {
			t.Errorf("stage %d is %q", s, s)
		}
	}
	if _, ok := ParseStage(""); ok {
		t.Error("no stage is a stage")
	}
}

// sorted gives the values of a map in order of key, for seeds.
func sorted[V any](m map[string]V) []V {
	var out []V
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}
