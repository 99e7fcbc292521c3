package moments

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/sense"
)

var anna, bert = engine.Handle{1}, engine.Handle{2}

const t0 = sense.Instant(1_772_442_000_000)

// keysOf opens real keys on disk, with those of anna and bert.
func keysOf(t testing.TB) *store.Keys {
	t.Helper()
	s, err := store.Open(store.Options{Dir: filepath.Join(t.TempDir(), "store"), DeviceKey: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Keys.Make(anna, bert); err != nil {
		t.Fatal(err)
	}
	return s.Keys
}

func optionsOf(t testing.TB, keys Keys) Options {
	return Options{Dir: filepath.Join(t.TempDir(), "moments"), MaxBytes: LeastBytes, Keys: keys, Gone: func(err error) bool { return errors.Is(err, store.ErrNoKey) }}
}

func mustOpen(t testing.TB, o Options) *Ring {
	t.Helper()
	r, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func momentOf(n int, h engine.Handle, at sense.Instant) engine.Moment {
	d := &engine.Decision{At: at, ID: fmt.Sprintf("d-1-%d", n), N: uint64(n), Session: "main", Slot: "home", Action: "offer", Value: 1_500_000, Propensity: 1, Probability: catalog.One,
		Rejected: []engine.Rejected{{Action: "a", Stage: catalog.StageGuard, Reason: catalog.OpenComplaint}, {Action: "b", Stage: catalog.StageGuard, Reason: catalog.OpenComplaint}, {Action: "c", Stage: catalog.StageLegal, Reason: catalog.ConsentUnknown}}}
	return engine.Moment{Decision: d, Handle: h, Bytes: bytes.Repeat([]byte{byte(n)}, 200)}
}

func all(t testing.TB, r *Ring) (ids []string) {
	t.Helper()
	if err := r.Read(func(x Record) bool { ids = append(ids, x.Decision); return true }); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestRingGivesBackWhatItTook(t *testing.T) {
	o := optionsOf(t, keysOf(t))
	r := mustOpen(t, o)
	want := momentOf(1, anna, t0)
	r.Append([]engine.Moment{want, momentOf(2, engine.Handle{}, t0+5)})
	var got []Record
	if err := r.Read(func(x Record) bool { got = append(got, x); return true }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Decision != "d-1-1" || got[0].At != t0 || got[0].Handle != anna || !bytes.Equal(got[0].Moment, want.Bytes) || got[1].Decision != "d-1-2" {
		t.Fatalf("read %+v", got)
	}
	if d := got[0].Said.Differs(want.Decision); len(d) > 0 {
		t.Errorf("the same decision differs: %v", d)
	}
	other := *want.Decision
	other.Action, other.Rejected = "silence", append([]engine.Rejected(nil), other.Rejected...)
	other.Rejected[1].Reason = catalog.AlreadyBought
	if d := strings.Join(got[0].Said.Differs(&other), "; "); d != "action is silence, was offer; b is guard already_bought, was guard open_complaint" {
		t.Errorf("differences: %s", d)
	}
	other = *want.Decision
	other.Language = "nl"
	if d := got[0].Said.Differs(&other); len(d) != 1 || !strings.HasPrefix(d[0], "the line differs") {
		t.Errorf("differences: %v", d)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = mustOpen(t, o) // and after a restart
	defer r.Close()
	r.Append([]engine.Moment{momentOf(3, bert, t0+9)})
	if ids := all(t, r); !reflect.DeepEqual(ids, []string{"d-1-1", "d-1-2", "d-1-3"}) {
		t.Errorf("after a restart: %v", ids)
	}
}

// Nothing of a customer can be read in the files.
func TestRingIsSealed(t *testing.T) {
	o := optionsOf(t, keysOf(t))
	r := mustOpen(t, o)
	m := momentOf(1, anna, t0)
	m.Bytes = []byte("anna likes gardens")
	r.Append([]engine.Moment{m})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(o.Dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil || bytes.Contains(raw, []byte("garden")) || bytes.Contains(raw, []byte("d-1-1")) {
		t.Errorf("the file tells what is sealed, %v", err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestForgettingTakesMomentsOut(t *testing.T) {
	keys := keysOf(t)
	o := optionsOf(t, keys)
	r := mustOpen(t, o)
	defer r.Close()
	r.Append([]engine.Moment{momentOf(1, anna, t0), momentOf(2, bert, t0), momentOf(3, engine.Handle{}, t0)})
	r.Flush()
	before := r.Status().Bytes
	if err := keys.Destroy(anna); err != nil {
		t.Fatal(err)
	}
	if ids := all(t, r); !reflect.DeepEqual(ids, []string{"d-1-2", "d-1-3"}) {
		t.Errorf("without the key: %v", ids)
	}
	r.Append([]engine.Moment{momentOf(4, anna, t0)}) // was on its way
	r.Hold([]engine.Handle{bert}, t0)
	r.Append([]engine.Moment{momentOf(5, bert, t0)})
	if ids := all(t, r); !reflect.DeepEqual(ids, []string{"d-1-2", "d-1-3", "d-1-5"}) {
		t.Errorf("after the forget: %v", ids)
	}
	s := r.Status()
	if s.Records != 3 || s.Lost != 0 || s.Err != nil || s.Bytes >= before+400 {
		t.Errorf("status %+v, before %d bytes", s, before)
	}
	r.Hold(nil, t0)
	if ids := all(t, r); !reflect.DeepEqual(ids, []string{"d-1-3"}) {
		t.Errorf("with nobody held: %v", ids)
	}
}

func TestRingIsBounded(t *testing.T) {
	o := optionsOf(t, keysOf(t))
	r := mustOpen(t, o)
	defer r.Close()
	most := int64(0)
	for n := 1; n <= 3000; n++ {
		r.Append([]engine.Moment{momentOf(n, anna, t0.Add(sense.Duration(n)*sense.Second))})
		r.Flush()
		most = max(most, r.Status().Bytes)
	}
	ids := all(t, r)
	if most > LeastBytes || len(ids) < 500 || ids[len(ids)-1] != "d-1-3000" {
		t.Errorf("%d bytes at most of %d, %d moments, the last %s", most, LeastBytes, len(ids), ids[len(ids)-1])
	}
	size := int64(0)
	files, _ := filepath.Glob(filepath.Join(o.Dir, "*"))
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size != r.Status().Bytes {
		t.Errorf("%d bytes on disk, %d told", size, r.Status().Bytes)
	}
	r.Hold([]engine.Handle{anna}, t0.Add(40*sense.Day))
	if ids := all(t, r); len(ids) != 0 {
		t.Errorf("after 40 days %d moments are kept", len(ids))
	}
}

// A torn tail is cut off, a flipped bit costs one record, a file that is none is left behind.
func TestRingSurvivesDamage(t *testing.T) {
	o := optionsOf(t, keysOf(t))
	for name, damage := range map[string]struct {
		harm func(raw []byte) []byte
		want []string
	}{
		"torn":    {func(raw []byte) []byte { return raw[:len(raw)-7] }, []string{"d-1-1", "d-1-2", "d-1-9"}},
		"flipped": {func(raw []byte) []byte { raw[len(raw)/2] ^= 1; return raw }, []string{"d-1-1", "d-1-3", "d-1-9"}},
		"empty":   {func(raw []byte) []byte { return nil }, []string{"d-1-9"}},
		"other":   {func(raw []byte) []byte { return bytes.Repeat([]byte("x"), len(raw)) }, []string{"d-1-9"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Dir = filepath.Join(t.TempDir(), "moments")
			r := mustOpen(t, o)
			r.Append([]engine.Moment{momentOf(1, anna, t0), momentOf(2, anna, t0), momentOf(3, anna, t0)})
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			path := segmentPath(o.Dir, 1)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage.harm(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			r = mustOpen(t, o)
			defer r.Close()
			r.Append([]engine.Moment{momentOf(9, anna, t0)})
			if ids := all(t, r); !reflect.DeepEqual(ids, damage.want) {
				t.Errorf("read %v, want %v", ids, damage.want)
			}
		})
	}
}

// broken keys seal nothing: the moment is lost and counted, and nobody waits.
type broken struct{ Keys }

func (broken) Seal(engine.Handle, string, []byte) ([]byte, error) { return nil, errors.New("no space") }

func TestLossIsCounted(t *testing.T) {
	keys := keysOf(t)
	o := optionsOf(t, broken{keys})
	r := mustOpen(t, o)
	defer r.Close()
	r.Append([]engine.Moment{momentOf(1, anna, t0)})
	r.Flush()
	if s := r.Status(); s.Lost != 1 || s.Err == nil {
		t.Errorf("status %+v", s)
	}
	many := make([]engine.Moment, mostQueued+50)
	for k := range many {
		many[k] = momentOf(k, anna, t0)
	}
	r.Append(many)
	r.Flush()
	if s := r.Status(); s.Lost != uint64(1+len(many)) {
		t.Errorf("%d lost, want all %d", s.Lost, 1+len(many))
	}
}

func TestExport(t *testing.T) {
	m := momentOf(7, anna, t0)
	in := Record{At: t0, Decision: m.Decision.ID, Said: SaidOf(m.Decision), Moment: m.Bytes}
	raw := AppendExport(AppendExport(nil, &in), &in)
	n := 0
	err := ReadExport(bytes.NewReader(raw), func(r Record) bool {
		n++
		if !reflect.DeepEqual(r, in) {
			t.Errorf("came back as %+v, was %+v", r, in)
		}
		return true
	})
	if err != nil || n != 2 {
		t.Errorf("%d records, %v", n, err)
	}
	for _, bad := range []string{"x", "{}", `{"at":"2026-03-02T09:00:00Z","line_sha256":"00"}`, `{"at":"2026-03-02T09:00:00Z","line_sha256":"00000000000000000000000000000000","rejected":[["guard","nonsense",1]]}`} {
		if err := ReadExport(strings.NewReader(bad), func(Record) bool { return true }); !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What is on the disk may be anything: nothing panics, and what is read is no more than what is there.
func FuzzSegment(f *testing.F) {
	m := momentOf(1, anna, t0)
	r := Record{At: t0, Handle: anna, Decision: m.Decision.ID, Said: SaidOf(m.Decision), Moment: m.Bytes}
	plain := r.appendPlain(nil)
	one := frame{at: t0, handle: anna, sealed: plain}
	whole := one.append([]byte(magic))
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte(magic + "\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Add(plain)
	f.Fuzz(func(t *testing.T, raw []byte) {
		frames, sound, damaged := framesOf(raw)
		if sound > len(raw) || damaged < 0 {
			t.Fatalf("%d sound bytes of %d", sound, len(raw))
		}
		for k := range frames {
			var r Record
			_ = r.readPlain(frames[k].sealed)
		}
		var r Record
		if r.readPlain(raw) == nil {
			var again Record
			if err := again.readPlain(r.appendPlain(nil)); err != nil || !reflect.DeepEqual(again, r) {
				t.Fatalf("%+v came back as %+v, %v", r, again, err)
			}
		}
	})
}

func FuzzExport(f *testing.F) {
	m := momentOf(1, anna, t0)
	r := Record{At: t0, Decision: m.Decision.ID, Said: SaidOf(m.Decision), Moment: m.Bytes}
	f.Add(AppendExport(nil, &r))
	f.Add([]byte("{\n\n[]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = ReadExport(bytes.NewReader(raw), func(r Record) bool {
			_ = r.Said.Differs(m.Decision)
			return true
		})
	})
}

// TestWhoComesAfterAHoldIsHeld: the writer may come to both at once, however late it is.
func TestWhoComesAfterAHoldIsHeld(t *testing.T) {
	r := mustOpen(t, optionsOf(t, keysOf(t)))
	defer r.Close()
	r.files.Lock() // the writer is late
	r.Append([]engine.Moment{momentOf(1, bert, t0)})
	r.Hold([]engine.Handle{bert}, t0)
	r.Append([]engine.Moment{momentOf(2, anna, t0)})
	r.files.Unlock()
	if ids := all(t, r); !reflect.DeepEqual(ids, []string{"d-1-1", "d-1-2"}) {
		t.Errorf("kept %v", ids)
	}
}

// TestMomentsOfAWrongYear: what a clock that was ahead has dated goes in its time by the right one.
func TestMomentsOfAWrongYear(t *testing.T) {
	o := optionsOf(t, keysOf(t))
	o.Keep = sense.Day
	r := mustOpen(t, o)
	defer r.Close()
	r.Append([]engine.Moment{momentOf(1, engine.Handle{}, t0.Add(12*sense.Year))})
	r.Flush()
	for _, c := range []struct {
		at   sense.Instant
		left int
	}{{t0, 1}, {t0.Add(sense.Hour), 1}, {t0.Add(sense.Day), 0}} {
		r.Hold(nil, c.at)
		if ids := all(t, r); len(ids) != c.left {
			t.Errorf("at %s: %v", c.at, ids)
		}
	}
}
