package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// previous reads a file of testdata/version-1, as that version wrote it.
func previous(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "version-1", file))
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	if strings.HasSuffix(file, ".hex") {
		if b, err = hex.DecodeString(string(b)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// Every message and document of the version before is read, says the same, and is
// written back byte for byte where it is kept.
func TestPreviousVersion(t *testing.T) {
	files, err := os.ReadDir(filepath.Join("testdata", "version-1"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		b := previous(t, f.Name())
		what, name, _ := strings.Cut(strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), "-")
		t.Run(f.Name(), func(t *testing.T) {
			switch what {
			case "record":
				previousRecord(t, name, b)
			case "batch":
				previousBatch(t, b)
			case "down":
				previousDown(t, name, b)
			case "signed":
				previousSigned(t, name, b)
			case "doc":
				want := documents()[name]
				if c, ok := want.(*Conn); ok {
					c.Life = "" // came later
				}
				got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
				if err := DecodeJSON(b, got); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
				}
			case "req":
				want := requests()[name]
				if s, ok := want.(*SliceRequest); ok {
					s.Owners = nil // came later
				}
				if got, err := DecodeRequest(b); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
				}
			case "cmd":
				if got, err := DecodeCommand(name, b); err != nil || !reflect.DeepEqual(got, commands()[name]) {
					t.Errorf("%+v, %v", got, err)
				}
			default:
				t.Errorf("no test reads %s", f.Name())
			}
		})
	}
}

func previousRecord(t *testing.T, name string, b []byte) {
	want := records()[name]
	used := NewRecord(want.Kind())
	now, err := AppendRecord(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := DecodeInto(now, used); err != nil { // a target that read the present version before
		t.Fatal(err)
	}
	for _, r := range []Record{NewRecord(want.Kind()), used} {
		if err := DecodeInto(b, r); err != nil || plain(r) != plain(want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, r, want)
		}
		if again, err := AppendRecord(nil, r); err != nil || !bytes.Equal(again, b) {
			t.Errorf("written back as %x, was %x: %v", again, b, err)
		}
	}
	if err := DecodeInto(now, used); err != nil { // and back: the form does not stick
		t.Fatal(err)
	}
	if again, err := AppendRecord(nil, used); err != nil || !bytes.Equal(again, now) {
		t.Errorf("after an old one a new one is written as %x, want %x: %v", again, now, err)
	}
}

func previousBatch(t *testing.T, b []byte) {
	got, err := unpacker(t).Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want := lifelikeBatch(2)
	if got.Version != 1 || got.Device != want.Device || got.Epoch != want.Epoch || got.First != 1 || len(got.Records) != 2 {
		t.Fatalf("%+v", got)
	}
	for k, raw := range got.Records {
		was, err := DecodeRecord(raw)
		if err != nil {
			t.Fatal(err)
		}
		is, err := DecodeRecord(want.Records[k])
		if err != nil || plain(was) != plain(is) {
			t.Errorf("record %d: %v\n got %+v\nwant %+v", k, err, was, is)
		}
	}
	if again, err := packer(t).Encode(got); err != nil || !bytes.Equal(again, b) {
		t.Errorf("written back as %x: %v", again, err)
	}
}

func previousDown(t *testing.T, name string, b []byte) {
	name = strings.ReplaceAll(name, "-", "/")
	class, _, _ := strings.Cut(name, "/")
	want := downs()[name]
	switch m := want.(type) { // what came later
	case *Slice:
		m.Exposures, m.Budgets, m.BudgetUntil, m.Each = nil, nil, 0, nil
	case *Unchanged:
		m.Budgets, m.BudgetUntil, m.Each = nil, 0, nil
	}
	if got, err := DecodeDown(class, b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

func previousSigned(t *testing.T, name string, b []byte) {
	payload, err := Open("tact/v1/acme/kiosk-1/dn/want", b, KeysOf(signKey.Public().(ed25519.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{"msgp": {4, 0x90}, "empty": {}}[name]
	if name == "json" {
		want = previous(t, "doc-want.json")
	}
	if !bytes.Equal(payload, want) {
		t.Errorf("holds %q, want %q", payload, want)
	}
}

// later are two fields that a newer version may append.
func later() []byte {
	b := msgp.AppendString(nil, "of a newer version")
	b = msgp.AppendMapHeader(b, 1)
	return msgp.AppendInt(msgp.AppendString(b, "k"), 4)
}

// longer appends two fields to an array.
func longer(t *testing.T, array []byte) []byte {
	t.Helper()
	n, fields, err := msgp.ReadArrayHeaderBytes(array)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(msgp.AppendArrayHeader(nil, n+2), fields...), later()...)
}

// Of the next version, everything that is known here is read: records are tested by TestVersions
// and TestUnknownKindIsKeptWhole, and a batch of them here.
func TestNextVersion(t *testing.T) {
	for name, m := range downs() {
		b, err := EncodeDown(m)
		if err != nil {
			t.Fatal(err)
		}
		class, _, _ := strings.Cut(name, "/")
		newer := append([]byte{b[0]}, longer(t, b[1:])...)
		if got, err := DecodeDown(class, newer); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, m)
		}
	}
	more := func(b []byte) []byte { return append(bytes.Clone(b[:len(b)-1]), `,"of_a_newer_version":{"a":[1]}}`...) }
	for name, r := range requests() {
		b, err := EncodeRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeRequest(more(b)); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("request %s: %+v, %v", name, got, err)
		}
	}
	for name, c := range commands() {
		b, err := EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeCommand(name, more(b)); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("command %s: %+v, %v", name, got, err)
		}
	}
}

// A batch of a much newer version is taken as long as it is a batch: what can be read is, and what
// cannot is a record of its own that is kept raw, with its number, and harms none beside it.
func TestMuchNewerBatch(t *testing.T) {
	known, err := AppendRecord(nil, records()["fact"])
	if err != nil {
		t.Fatal(err)
	}
	longFact := append([]byte{known[0]}, longer(t, known[1:])...)
	unknown := []byte{99, 0x92, 1, 0x81, 0xa1, 'k', 2}
	strange := []byte{byte(KindDecision), 0x91, 0x81, 0xa1, 'k', 2} // a decision in a form that nobody here knows
	e := envelope{Version: 200, Device: "d", Epoch: 1, First: 7, N: 4, Body: bytes.Join([][]byte{known, longFact, unknown, strange}, nil)}
	b, err := e.MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpacker(t).Decode(longer(t, b)) // with fields behind the body as well
	if err != nil || got.Version != 200 || got.First != 7 || len(got.Records) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	for k, raw := range got.Records[:3] {
		r, err := DecodeRecord(raw)
		if err != nil {
			t.Fatalf("record %d: %v", k, err)
		}
		if again, err := AppendRecord(nil, r); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("record %d is written back as %x, was %x: %v", k, again, raw, err)
		}
	}
	if _, err := DecodeRecord(got.Records[3]); !errors.Is(err, ErrMalformed) {
		t.Errorf("the strange one: %v", err)
	}
	if !bytes.Equal(got.Records[3], strange) {
		t.Error("the strange one is not kept as it came")
	}
}

// A word of a newer version's list is read as a name of its code, and written back as that code.
func TestWordOfANewerVersion(t *testing.T) {
	next := firstCode + len(words)
	for _, list := range []int{1, 0} { // in a list of narrow losers, and in one that is not
		d := &Decision{At: at, N: 1, Cause: Named(wordOf[next]), Losers: []Loser{{Sym{ID: 4}, StageGuard, Named(wordOf[next])}}}
		if list == 0 {
			d.Losers = append(d.Losers, Loser{Named("an action of no table"), StageGuard, Named(words[0])})
		}
		raw, err := AppendRecord(nil, d)
		if err != nil || bytes.Contains(raw, []byte("word-")) {
			t.Fatalf("%x, %v", raw, err)
		}
		back, err := DecodeRecord(raw)
		if err != nil || plain(back) != plain(d) {
			t.Errorf("%v\n got %+v\nwant %+v", err, back, d)
		}
		if again, err := AppendRecord(nil, back); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("written back as %x, was %x: %v", again, raw, err)
		}
	}
	if next >= firstWord {
		t.Errorf("%d words are too many: one more takes a code of a symbol", len(words))
	}
	for k, w := range words {
		if codeOfWord(w) != uint64(firstCode+k) {
			t.Errorf("%s has code %d, want %d", w, codeOfWord(w), firstCode+k)
		}
	}
	if c := codeOfWord("x"); c != 1 {
		t.Errorf("a name that is none of the words has code %d", c)
	}
}
