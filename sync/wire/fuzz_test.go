package wire

import (
	"bytes"
	"crypto/ed25519"
	"runtime"
	"testing"
)

// heapFactor is how many times MaxMessage a decoder may allocate at the most for a message of any
// content. The worst is a list of nothings, each a byte there and a value of 64 bytes here; a count in a
// header could ask for a million times more.
const heapFactor = 72

// bounded runs do and fails when it allocated more than heapFactor allows.
func bounded(t testing.TB, what string, do func()) {
	t.Helper()
	if n := allocated(do); n > heapFactor*MaxMessage {
		t.Fatalf("%s took %d bytes, %d times a message", what, n, n/MaxMessage)
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzRecord(f *testing.F) {
	for _, r := range sorted(records()) {
		raw, err := AppendRecord(nil, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{1, 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{3, 0x99, 0, 0, 0xc0, 0xa0, 0, 0x92, 10, 0xdd, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		bounded(t, "decoding", func() {
			r, err := DecodeRecord(raw)
			if err != nil {
				return
			}
			again, err := AppendRecord(nil, r)
			if err != nil {
				return // longer than a record may be, once written plainly
			}
			back, err := DecodeRecord(again)
			if err != nil {
				t.Fatalf("what was written cannot be read: %v", err)
			}
			if third, err := AppendRecord(nil, back); err != nil || !bytes.Equal(again, third) {
				t.Fatalf("%x became %x: %v", again, third, err)
			}
		})
	})
}

func FuzzBatch(f *testing.F) {
	u := unpacker(f)
	p, err := NewPacker()
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range []int{1, 9, 40} {
		m, err := p.Encode(lifelikeBatch(n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		bounded(t, "decoding", func() {
			b, err := u.Decode(m)
			if err != nil {
				return
			}
			if len(b.Records) == 0 || len(b.Records) > MaxRecords {
				t.Fatalf("%d records", len(b.Records))
			}
			for _, r := range b.Records {
				if CheckRecord(r) != nil {
					t.Fatal("a record that is none came out of a batch")
				}
			}
		})
	})
}

func FuzzDown(f *testing.F) {
	for _, m := range sorted(downs()) {
		b, err := EncodeDown(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bounded(t, "decoding", func() {
			for _, class := range []string{ClassSlice, ClassAck, ClassBlob, ClassSig} {
				m, err := DecodeDown(class, b)
				if err != nil {
					continue
				}
				if a, ok := m.(*Ack); ok && len(a.Ranges) > MaxRanges {
					t.Fatal("too many ranges")
				}
			}
		})
	})
}

func FuzzSigned(f *testing.F) {
	const topic = "tact/v1/a/b/dn/want"
	pub := signKey.Public().(ed25519.PublicKey)
	keys := KeysOf(pub)
	said := map[string]bool{}
	for _, p := range []string{`{"revision":1}`, "\x04\x90"} {
		m, err := Sign(topic, []byte(p), signKey)
		if err != nil {
			f.Fatal(err)
		}
		said[p] = true
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		if p, err := Open(topic, m, keys); err == nil && !said[string(p)] {
			t.Fatalf("%q was never signed", p)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, r := range sorted(requests()) {
		b, err := EncodeRequest(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, d := range sorted(documents()) {
		b, err := EncodeJSON(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bounded(t, "decoding", func() {
			if r, err := DecodeRequest(b); err == nil {
				if _, err := EncodeRequest(r); err != nil && len(b) < MaxMessage/8 {
					t.Fatal(err)
				}
			}
			_, _ = DecodeConn(b)
			_ = DecodeJSON(b, &Want{})
			for _, n := range []string{"echo", "symbols", "epoch", "rebirth"} {
				_, _ = DecodeCommand(n, b)
			}
		})
	})
}

func FuzzTopic(f *testing.F) {
	f.Add("tact/v1/acme/kiosk-1/dn/slice/ab")
	f.Add("tact/v1/acme/_g-x/dn/want")
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := ParseTopic(s); err == nil && got.String() != s {
			t.Fatalf("%q reads as %q", s, got)
		}
	})
}
