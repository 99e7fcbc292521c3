package wire

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/tinylib/msgp/msgp"
)

// decoders are all that read bytes from outside, by name; TestEveryDecoderIsFuzzed finds one that is missing.
// They must take any bytes without a panic and within heapFactor.
func decoders(t testing.TB) map[string]func([]byte) {
	u := unpacker(t)
	hub, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	keys := KeysOf(signKey.Public().(ed25519.PublicKey))
	return map[string]func([]byte){
		"DecodeRecord": func(b []byte) { _, _ = DecodeRecord(b) },
		"DecodeInto": func(b []byte) {
			for k := KindDecision; k <= KindMoved; k++ {
				_ = DecodeInto(b, NewRecord(k))
			}
		},
		"CheckRecord":     func(b []byte) { _ = CheckRecord(b) },
		"Unpacker.Decode": func(b []byte) { _, _ = u.Decode(b) },
		"DecodeDown": func(b []byte) {
			for _, class := range []string{ClassSlice, ClassAck, ClassBlob, ClassSig} {
				_, _ = DecodeDown(class, b)
			}
		},
		"DecodeRequest": func(b []byte) { _, _ = DecodeRequest(b) },
		"DecodeCommand": func(b []byte) {
			for name := range commands() {
				_, _ = DecodeCommand(name, b)
			}
		},
		"DecodeJSON": func(b []byte) { // of the documents the one whose items are smallest beside what they take
			_ = DecodeJSON(b, &Reported{})
		},
		"DecodeConn":             func(b []byte) { _, _ = DecodeConn(b) },
		"Open":                   func(b []byte) { _, _ = Open("t", b, keys) },
		"OpenAtHub":              func(b []byte) { _, _ = OpenAtHub(hub, handleA, b) },
		"ParseTopic":             func(b []byte) { _, _ = ParseTopic(string(b)) },
		"ParseHandle":            func(b []byte) { _, _ = ParseHandle(string(b)) },
		"ParseStage":             func(b []byte) { _, _ = ParseStage(string(b)) },
		"Value.UnmarshalMsg":     func(b []byte) { _, _ = new(Value).UnmarshalMsg(b) },
		"Sym.UnmarshalMsg":       func(b []byte) { _, _ = new(Sym).UnmarshalMsg(b) },
		"Handle.UnmarshalMsg":    func(b []byte) { _, _ = new(Handle).UnmarshalMsg(b) },
		"Unknown.UnmarshalMsg":   func(b []byte) { _, _ = new(Unknown).UnmarshalMsg(b) },
		"Handle.UnmarshalText":   func(b []byte) { _ = new(Handle).UnmarshalText(b) },
		"BundleID.UnmarshalText": func(b []byte) { _ = new(BundleID).UnmarshalText(b) },
		"Decision.readBlock":     func(b []byte) { _ = new(Decision).readBlock(b) },
		"Outcome.readBlock":      func(b []byte) { _ = new(Outcome).readBlock(b) },
	}
}

// runDecoders gives b to all, each within its bound.
func runDecoders(t testing.TB, all map[string]func([]byte), what string, b []byte) {
	t.Helper()
	for name, decode := range all {
		bounded(t, name+" of "+what, func() { decode(b) })
	}
}

func FuzzDecoders(f *testing.F) {
	all := decoders(f)
	for _, b := range sorted(hostiles(f)) {
		if len(b) <= 4096 { // the long ones are TestHostile's
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > MaxMessage {
			b = b[:MaxMessage]
		}
		// One look at the heap for all; where it is too much, who took it?
		if allocated(func() {
			for _, decode := range all {
				decode(b)
			}
		}) > heapFactor*MaxMessage {
			runDecoders(t, all, "this", b)
		}
	})
}

// Every function that reads bytes from outside is in the table that FuzzDecoders and TestHostile run. What
// is generated is reached by DecodeRecord, DecodeDown and Unpacker.Decode.
func TestEveryDecoderIsFuzzed(t *testing.T) {
	all := decoders(t)
	found := map[string]bool{}
	for _, file := range sources(t) {
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			reads := false
			for _, prefix := range []string{"Decode", "Parse", "Open", "Check", "Unmarshal", "readBlock"} {
				reads = reads || strings.HasPrefix(name, prefix) && name != "readBlocked"
			}
			if !reads {
				continue
			}
			if fn.Recv != nil {
				name = receiver(fn) + "." + name
			}
			found[name] = true
			if all[name] == nil {
				t.Errorf("%s reads bytes and is in no fuzz target: add it to decoders", name)
			}
		}
	}
	for name := range all {
		if !found[name] {
			t.Errorf("%s is in the table and not in the package", name)
		}
	}
	for k := KindDecision; k <= KindMoved; k++ { // what is generated is reached
		if _, unknown := NewRecord(k).(*Unknown); unknown {
			t.Errorf("kind %d is not known", k)
		}
	}
}

// sources are the files of the package, without tests and what is generated.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func receiver(fn *ast.FuncDecl) string {
	x := fn.Recv.List[0].Type
	if p, ok := x.(*ast.StarExpr); ok {
		x = p.X
	}
	return fmt.Sprint(x)
}

// Every file from which reading is generated limits all its collections.
func TestEveryGeneratedFileHasLimits(t *testing.T) {
	generated, err := filepath.Glob("*_gen.go")
	if err != nil || len(generated) < 7 {
		t.Fatalf("%v: %v", generated, err)
	}
	for _, name := range generated {
		from := strings.TrimSuffix(name, "_gen.go") + ".go"
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte("\n//msgp:limit arrays:")) {
			t.Errorf("%s has no //msgp:limit", from)
		}
		// What was generated asks for the limit before each make.
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if makes, limits := bytes.Count(code, []byte("make([]")), bytes.Count(code, []byte("msgp.ErrLimitExceeded")); limits < makes/2 {
			t.Errorf("%s makes %d lists and looks at %d limits", name, makes, limits)
		}
	}
}

// hostiles are messages that nobody means well with, by name.
func hostiles(t testing.TB) map[string][]byte {
	r := rand.New(rand.NewPCG(7, 7))
	out := map[string][]byte{"nothing": {}, "over the limit": make([]byte, MaxMessage+1)}
	for k := range 8 {
		b := make([]byte, MaxMessage>>k)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		out[fmt.Sprintf("random %d", len(b))] = b
	}
	harm := func(name string, b []byte) {
		out[name] = b
		out[name+", half"] = b[:len(b)/2]
		out[name+", but the last byte"] = b[:max(0, len(b)-1)]
		for k := range 20 {
			flipped := bytes.Clone(b)
			for range 1 + r.IntN(4) {
				flipped[r.IntN(len(b))] = byte(r.Uint32())
			}
			out[fmt.Sprintf("%s, harmed %d", name, k)] = flipped
		}
	}
	for name, rec := range records() {
		b, err := AppendRecord(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		harm("record "+name, b)
	}
	for name, m := range downs() {
		b, err := EncodeDown(m)
		if err != nil {
			t.Fatal(err)
		}
		harm("message "+name, b)
	}
	for name, q := range requests() {
		b, err := EncodeRequest(q)
		if err != nil {
			t.Fatal(err)
		}
		harm("request "+name, b)
	}
	for _, n := range []int{2, 40} {
		b, err := packer(t).Encode(lifelikeBatch(n))
		if err != nil {
			t.Fatal(err)
		}
		harm(fmt.Sprintf("batch of %d", n), b)
	}
	bombs(t, out)
	return out
}

// bombs are lengths that are not there, nesting, and as many items as a message can name.
func bombs(t testing.TB, out map[string][]byte) {
	heads := map[string][]byte{"array": {0xdd, 0xff, 0xff, 0xff, 0xff}, "array of 32767": {0xdc, 0x7f, 0xff}, "map": {0xdf, 0xff, 0xff, 0xff, 0xff},
		"text": {0xdb, 0xff, 0xff, 0xff, 0xff}, "bytes": {0xc6, 0xff, 0xff, 0xff, 0xff}, "bytes of 2 GiB": {0xc6, 0x7f, 0xff, 0xff, 0xff}}
	for name, h := range heads {
		out["bomb "+name] = h
		for kind := range byte(KindMoved + 1) {
			out[fmt.Sprintf("bomb %s of kind %d", name, kind)] = append([]byte{kind}, h...)
			for at := range 18 { // as one of the fields
				b := msgp.AppendArrayHeader([]byte{kind}, 18)
				b = append(append(b, bytes.Repeat([]byte{0}, at)...), h...)
				out[fmt.Sprintf("bomb %s of kind %d as field %d", name, kind, at)] = append(b, make([]byte, 64)...)
			}
		}
	}
	for _, b := range []string{"\x91", "\x81\xa1k", "[", `{"a":`, `{"request":"hello","handles":[`} {
		out["nested "+b] = bytes.Repeat([]byte(b), MaxMessage/len(b))
		out["record nested "+b] = append([]byte{3}, bytes.Repeat([]byte(b), MaxRecord/len(b)-1)...)
	}
	for _, item := range []string{`{}`, `0`, `""`, `null`, `[]`} {
		for _, key := range []string{`"request":"hello","handles"`, `"request":"symbols","names"`, `"request":"slice","owners"`, `"keys"`, `"items"`, `"sources"`} {
			list := strings.Repeat(item+",", (MaxMessage-64)/(len(item)+1))
			out["items "+key+item] = []byte(`{` + key + `:[` + list[:len(list)-1] + `]}`)
		}
	}
	figures := map[string]int64{}
	for k := range 6000 {
		figures[fmt.Sprint(k)] = 1
	}
	doc, err := json.Marshal(Health{Figures: figures})
	if err != nil {
		t.Fatal(err)
	}
	out["figures"] = doc
	out["values"] = valueBomb()
	fact := &SliceFact{}
	one, err := fact.MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.IndexByte(one, 0xc0) // the value
	list := append([]byte{0xdc, 0x04, 0x00, 10}, bytes.Repeat([]byte{0xc0}, 1023)...)
	facts := append(append([]byte{1, 0x98, 0xc0, 0, 0, 0, 0, 0xa0, 0x90}, 0xdc, 0, 62), bytes.Repeat(bytes.Join([][]byte{one[:at], list, one[at+1:]}, nil), 62)...)
	out["facts of lists"] = facts
	for kind := range byte(KindMoved + 1) { // as many empty items as fit, in each field
		for at := range 18 {
			b := append(msgp.AppendArrayHeader([]byte{kind}, 18), bytes.Repeat([]byte{0}, at)...)
			b = append(b, 0xdc, 0x10, 0) // 4,096
			b = append(b, bytes.Repeat([]byte{0x90}, 4096)...)
			out[fmt.Sprintf("4096 of kind %d as field %d", kind, at)] = append(b, make([]byte, 17-at)...)
		}
	}
	zip, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"64 MiB": 64 << 20, "the largest body": MaxBody, "a byte more": MaxBody + 1} {
		e := envelope{Version: 1, Device: "d", Epoch: 1, First: 1, N: 256, Codec: uint8(Zstd), Body: zip.EncodeAll(make([]byte, size), nil)}
		if out["zip bomb of "+name], err = e.MarshalMsg(nil); err != nil {
			t.Fatal(err)
		}
	}
	block := []byte{0xff, 0xff} // a block that has everything, with the largest counts
	block = append(block, bytes.Repeat([]byte{0xff, 0x7f}, 600)...)
	out["block"] = block
	out["record block"] = append([]byte{1, 0x91, 0xc5, byte(len(block) >> 8), byte(len(block))}, block...)
	huge := binary.AppendUvarint([]byte{0, 1, 0, 0, 0, 0, 0, 0}, 1<<63)
	out["block of a huge count"] = append(huge, make([]byte, 40)...)
}

// valueBomb is a list of lists of as many nothings as a message holds.
func valueBomb() []byte {
	const list = 10 // sense.List
	b := []byte{0xdc, 0, 64, list}
	for range 63 {
		b = append(b, 0xdc, 0x04, 0x00, list)
		b = append(b, bytes.Repeat([]byte{0xc0}, 1023)...)
	}
	return b
}

// Whatever comes, no decoder panics, and none takes more memory than heapFactor allows.
func TestHostile(t *testing.T) {
	all, most := decoders(t), uint64(0)
	messages := hostiles(t)
	for _, name := range slices.Sorted(maps.Keys(messages)) {
		b := messages[name]
		n := allocated(func() {
			for _, decode := range all {
				decode(b)
			}
		})
		if most = max(most, n); n > heapFactor*MaxMessage/4 {
			runDecoders(t, all, name, b)
		}
	}
	t.Logf("%d messages; all decoders together took at most %d times a message", len(messages), most/MaxMessage)
}

// The bombs are what they are meant to be: one that no decoder takes to the end shows nothing.
func TestBombsAreReal(t *testing.T) {
	messages := hostiles(t)
	if v := new(Value); func() error { _, err := v.UnmarshalMsg(messages["values"]); return err }() != nil || len(v.List()) != 63 {
		t.Errorf("the list of lists is not taken: %d", len(v.List()))
	}
	facts := messages["facts of lists"]
	if m, err := DecodeDown(ClassSlice, facts); err != nil || len(m.(*Slice).Facts) != 62 || len(facts) < 62_000 {
		t.Errorf("a slice of lists is not taken: %v", err)
	}
	for name, into := range map[string]any{`items "request":"hello","handles"{}`: &Hello{}, `items "request":"slice","owners"{}`: &SliceRequest{}, "figures": &Health{}} {
		if err := json.Unmarshal(messages[name], into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := DecodeJSON(messages[name], into); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s is taken: %v", name, err)
		}
	}
}

// A document within the limits is taken, whatever stands in its texts.
func TestLimitsOfDocuments(t *testing.T) {
	deep := func(n int) string {
		return `{"of_a_newer_version":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	items := func(n int) string { return `{"sources":["` + strings.Repeat(`a","`, n-1) + `"]}` }
	for doc, want := range map[string]error{deep(MaxDepth): nil, deep(MaxDepth + 1): ErrTooLarge, items(MaxItems): nil, items(MaxItems + 1): ErrTooLarge,
		`{"version":"` + strings.Repeat(`[{,\"`, 5000) + `"}`: nil, `{"version":"` + strings.Repeat(`\\`, 5000) + `"}`: nil} {
		if err := DecodeJSON([]byte(doc), &Birth{}); !errors.Is(err, want) {
			t.Errorf("%.40s of %d bytes: %v, want %v", doc, len(doc), err, want)
		}
	}
}
