package update

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// disk is Files in memory; the write with the number cut loses its power, before
// or after it took effect.
type disk struct {
	files  map[string][]byte
	writes int
	cut    int // 0: never
	late   bool
}

var (
	_        Files = (*disk)(nil)
	errPower       = errors.New("power cut")
)

func (d *disk) Read(name string, limit int) ([]byte, error) {
	data, ok := d.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%w: too long", ErrBroken)
	}
	return bytes.Clone(data), nil
}

func (d *disk) Replace(name string, data []byte) error {
	d.writes++
	if d.writes == d.cut && !d.late {
		return errPower
	}
	d.files[name] = bytes.Clone(data)
	if d.writes == d.cut {
		return errPower
	}
	return nil
}

// decode reads the test's bundles: name@version, a line end, anything.
func decode(bundle []byte) (string, int64, any, error) {
	line, _, _ := strings.Cut(string(bundle), "\n")
	name, text, ok := strings.Cut(line, "@")
	version, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return "", 0, nil, errors.New("not a bundle of this form")
	}
	return name, version, line, nil
}

type bench struct {
	t      *testing.T
	disk   *disk
	store  *Store
	secret SecretKey
}

func newBench(t *testing.T) *bench {
	public, secret := newKeys(t)
	d := &disk{files: map[string][]byte{}}
	return &bench{t, d, NewStore(d, []PublicKey{public}, decode), secret}
}

func (b *bench) install(bundle string) error {
	b.t.Helper()
	staged, err := b.store.Stage([]byte(bundle), sign(b.t, []byte(bundle), b.secret))
	if err != nil {
		return err
	}
	return b.store.Activate(staged)
}

func (b *bench) must(bundles ...string) {
	b.t.Helper()
	for _, bundle := range bundles {
		if err := b.install(bundle); err != nil {
			b.t.Fatal(err)
		}
	}
}

// active returns the content of the active bundle, with ! where damage was found.
func (b *bench) active() string {
	b.t.Helper()
	a, err := b.store.Active()
	switch {
	case errors.Is(err, ErrNone):
		return "none"
	case err != nil:
		b.t.Fatal(err)
	}
	name, version, content, err := decode(a.Data)
	if err != nil || name != a.Name || version != a.Version || content != a.Content || a.Hash != sha256.Sum256(a.Data) {
		b.t.Errorf("bundle %s@%d holds %q", a.Name, a.Version, a.Data)
	}
	if a.Damage != nil {
		return string(a.Data) + "!"
	}
	return string(a.Data)
}

func (b *bench) expect(want string) {
	b.t.Helper()
	if got := b.active(); got != want {
		b.t.Errorf("active is %q, want %q", got, want)
	}
}

func TestStoreTakesNewerBundles(t *testing.T) {
	b := newBench(t)
	b.expect("none")
	for _, bundle := range []string{"dealer@1", "dealer@2", "dealer@3", "dealer@10"} {
		b.must(bundle)
		b.expect(bundle)
	}
}

func TestStoreStagedIsNotActive(t *testing.T) {
	b := newBench(t)
	b.must("dealer@1")
	staged, err := b.store.Stage([]byte("dealer@2"), sign(t, []byte("dealer@2"), b.secret))
	if err != nil || staged.Name != "dealer" || staged.Version != 2 {
		t.Fatalf("staged %+v, %v", staged, err)
	}
	b.expect("dealer@1")
	if err := b.store.Activate(staged); err != nil {
		t.Fatal(err)
	}
	b.expect("dealer@2")
	if err := b.store.Activate(Bundle{Name: "dealer", Version: 3, Data: []byte("dealer@3")}); !errors.Is(err, ErrNotStaged) {
		t.Errorf("activating what was not staged: %v", err)
	}
	b.expect("dealer@2")
}

func TestStoreRefuses(t *testing.T) {
	_, stranger := newKeys(t)
	for _, c := range []struct {
		name   string
		bundle string
		forge  func(t *testing.T, bundle []byte, key SecretKey) (data, signature []byte)
		want   error
	}{
		{"older", "dealer@4", nil, ErrOlder},
		{"same version, other content", "dealer@5\nx", nil, ErrOlder},
		{"unsigned", "dealer@6", func(t *testing.T, d []byte, k SecretKey) ([]byte, []byte) { return d, nil }, ErrUnsigned},
		{"untrusted", "dealer@6", func(t *testing.T, d []byte, k SecretKey) ([]byte, []byte) { return d, sign(t, d, stranger) }, ErrUntrusted},
		{"truncated", "dealer@66", func(t *testing.T, d []byte, k SecretKey) ([]byte, []byte) { return d[:len(d)-1], sign(t, d, k) }, ErrBroken},
		{"signed, but no bundle", "garbage", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.must("dealer@5")
			before := maps.Clone(b.disk.files)
			data, signature := []byte(c.bundle), sign(t, []byte(c.bundle), b.secret)
			if c.forge != nil {
				data, signature = c.forge(t, data, b.secret)
			}
			_, err := b.store.Stage(data, signature)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if !maps.EqualFunc(before, b.disk.files, bytes.Equal) {
				t.Error("a refused bundle changed the disk")
			}
			b.expect("dealer@5")
		})
	}
}

// Another policy begins its own versions, but opens no way back for the first.
func TestStoreVersionsByName(t *testing.T) {
	b := newBench(t)
	b.must("dealer@5", "market@1")
	b.expect("market@1")
	if err := b.install("dealer@4"); !errors.Is(err, ErrOlder) {
		t.Errorf("dealer@4 after dealer@5 and market@1: %v", err)
	}
	b.must("dealer@6")
	b.expect("dealer@6")
}

func TestStoreTheSameAgain(t *testing.T) {
	b := newBench(t)
	b.must("dealer@1", "dealer@2")
	before := maps.Clone(b.disk.files)
	b.must("dealer@2")
	if !maps.EqualFunc(before, b.disk.files, bytes.Equal) {
		t.Error("the same bundle again changed the disk")
	}
	b.expect("dealer@2")
}

func TestStoreKeyNoLongerTrusted(t *testing.T) {
	b := newBench(t)
	b.must("dealer@1")
	public, _ := newKeys(t)
	_, err := NewStore(b.disk, []PublicKey{public}, decode).Active()
	if !errors.Is(err, ErrNone) || !errors.Is(err, ErrUntrusted) {
		t.Errorf("got %v, want ErrNone for ErrUntrusted", err)
	}
}

// At every write, with the power cut before and after it took effect: the bundle
// of before or the new one is active, whole, and the new one can be installed again.
func TestStorePowerCuts(t *testing.T) {
	for _, history := range [][]string{nil, {"dealer@1"}, {"dealer@1", "dealer@2"}} {
		for cut := 1; ; cut++ {
			done := false
			for _, late := range []bool{false, true} {
				b := newBench(t)
				b.must(history...)
				before := b.active()
				b.disk.writes, b.disk.cut, b.disk.late = 0, cut, late
				err := b.install("dealer@9")
				if err != nil && !errors.Is(err, errPower) {
					t.Fatal(err)
				}
				done = err == nil
				if got := b.active(); got != "dealer@9" && (err == nil || got != before) {
					t.Errorf("history %v, cut %d, late %v: active is %q", history, cut, late, got)
				}
				b.disk.cut = 0
				b.must("dealer@9")
				b.expect("dealer@9")
			}
			if done {
				break
			}
		}
	}
}

// Whichever file is damaged, a whole bundle goes on, and installing mends it,
// with power cuts as well.
func TestStoreDamage(t *testing.T) {
	damages := map[string]func([]byte) []byte{
		"cut off":  func(b []byte) []byte { return b[:len(b)/2] },
		"emptied":  func([]byte) []byte { return nil },
		"one bit":  func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b },
		"removed":  nil,
		"too long": func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, 2+MaxSignature+MaxBundle)...) },
	}
	want := map[string]string{"a.bundle": "dealer@2", "b.bundle": "dealer@1!", markFile: "dealer@2!"}
	for name, damage := range damages {
		for file, active := range want {
			for _, next := range []string{"dealer@2", "dealer@3"} {
				for cut := 0; cut <= 2; cut++ {
					t.Run(fmt.Sprint(name, " ", file, " ", next, " ", cut), func(t *testing.T) {
						b := newBench(t)
						b.must("dealer@1", "dealer@2")
						if damage == nil {
							if file == markFile {
								t.Skip("without the mark nothing was ever activated")
							}
							delete(b.disk.files, file)
						} else {
							b.disk.files[file] = damage(b.disk.files[file])
						}
						b.expect(active)
						b.disk.writes, b.disk.cut = 0, cut
						if err := b.install(next); err != nil {
							if !errors.Is(err, errPower) {
								t.Fatal(err)
							}
							if got := b.active(); got == "none" {
								t.Error("a power cut while mending left no bundle")
							}
							b.disk.cut = 0
							b.must(next)
						}
						b.expect(next)
					})
				}
			}
		}
	}
}

func TestFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bundles", "device")
	public, secret := newKeys(t)
	b := &bench{t, nil, NewStore(Folder(path), []PublicKey{public}, decode), secret}
	b.expect("none")
	b.must("dealer@1", "dealer@2", "dealer@3")
	b.expect("dealer@3")
	left, err := os.ReadDir(path)
	if err != nil || len(left) != 3 {
		t.Errorf("files %v, %v: want two bundles and the mark", left, err)
	}
	if _, err := Folder(path).Read("a.bundle", 3); !errors.Is(err, ErrBroken) {
		t.Errorf("file beyond its limit: %v", err)
	}
	// A folder in the way of the temporary file stands for a disk that refuses.
	if err := os.Mkdir(filepath.Join(path, "a.bundle.new"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.install("dealer@4"), b.install("dealer@5")); err == nil {
		t.Error("a disk that refuses is no error")
	}
	if a := b.active(); a != "dealer@3" && a != "dealer@4" {
		t.Errorf("active is %q", a)
	}
}
