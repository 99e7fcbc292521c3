package update

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func newKeys(t testing.TB) (PublicKey, SecretKey) {
	t.Helper()
	public, secret, err := NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, secret
}

func sign(t testing.TB, bundle []byte, key SecretKey) []byte {
	t.Helper()
	signature, err := Sign(bundle, key, "dealer@12")
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestVerify(t *testing.T) {
	public, secret := newKeys(t)
	stranger, other := newKeys(t)
	bundle := []byte("a bundle of some bytes")
	signature := sign(t, bundle, secret)
	lines := strings.SplitAfter(string(signature), "\n")
	for _, c := range []struct {
		name      string
		bundle    []byte
		signature []byte
		trusted   []PublicKey
		want      error
		says      string
	}{
		{"good", bundle, signature, []PublicKey{public}, nil, ""},
		{"good among two, as while keys change", bundle, signature, []PublicKey{stranger, public}, nil, ""},
		{"good with CR LF", bundle, bytes.ReplaceAll(signature, []byte("\n"), []byte("\r\n")), []PublicKey{public}, nil, ""},
		{"no signature", bundle, nil, []PublicKey{public}, ErrUnsigned, ""},
		{"blank signature", bundle, []byte("\n"), []PublicKey{public}, ErrUnsigned, ""},
		{"stranger", bundle, sign(t, bundle, other), []PublicKey{public}, ErrUntrusted, "key " + stranger.ID() + ", trusted here: " + public.ID()},
		{"nobody trusted", bundle, signature, nil, ErrUntrusted, "no key is trusted here"},
		{"cut off", bundle[:len(bundle)-1], signature, []PublicKey{public}, ErrBroken, public.ID()},
		{"empty bundle", nil, signature, []PublicKey{public}, ErrBroken, ""},
		{"one bit", append([]byte("A"), bundle[1:]...), signature, []PublicKey{public}, ErrBroken, ""},
		{"signature cut off", bundle, signature[:len(signature)/2], []PublicKey{public}, ErrBroken, "signature is cut off"},
		{"signature without comment's signature", bundle, []byte(lines[0] + lines[1] + lines[2]), []PublicKey{public}, ErrBroken, ""},
		{"comment changed", bundle, bytes.Replace(signature, []byte("dealer@12"), []byte("dealer@13"), 1), []PublicKey{public}, ErrBroken, ""},
		{"no signature at all", bundle, []byte("hello"), []PublicKey{public}, ErrBroken, ""},
		{"oversized signature", bundle, bytes.Repeat([]byte("x"), MaxSignature+1), []PublicKey{public}, ErrBroken, "at most 4096"},
		{"oversized bundle", make([]byte, MaxBundle+1), signature, []PublicKey{public}, ErrBroken, "at most 8388608"},
	} {
		t.Run(c.name, func(t *testing.T) {
			comment, err := Verify(c.bundle, c.signature, c.trusted)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && comment != "dealer@12" {
				t.Errorf("comment %q", comment)
			}
			if err != nil && (comment != "" || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("comment %q, error %q lacks %q", comment, err, c.says)
			}
		})
	}
}

func TestSignIsReproducible(t *testing.T) {
	_, secret := newKeys(t)
	if a, b := sign(t, []byte("x"), secret), sign(t, []byte("x"), secret); !bytes.Equal(a, b) {
		t.Errorf("two signatures of one bundle differ:\n%s\n%s", a, b)
	}
}

func TestSignRefuses(t *testing.T) {
	_, secret := newKeys(t)
	for name, call := range map[string]func() error{
		"line break": func() error { _, err := Sign(nil, secret, "a\ntrusted comment: b"); return err },
		"long":       func() error { _, err := Sign(nil, secret, strings.Repeat("a", maxComment+1)); return err },
		"large":      func() error { _, err := Sign(make([]byte, MaxBundle+1), secret, ""); return err },
	} {
		if call() == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	public, secret := newKeys(t)
	open, err := secret.Text("")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSecretKey(open, "")
	if err != nil || again.Public().ID() != public.ID() {
		t.Errorf("open key reads back as %s, %v", again.Public().ID(), err)
	}
	if Sealed(open) {
		t.Error("an open key counts as sealed")
	}
	read, err := ParsePublicKey(public.Text())
	if err != nil || read.ID() != public.ID() {
		t.Errorf("public key reads back as %s, %v", read.ID(), err)
	}
	line := strings.Split(string(public.Text()), "\n")[1]
	if read, err := ParsePublicKey([]byte(line)); err != nil || read.ID() != public.ID() {
		t.Errorf("its second line alone reads back as %s, %v", read.ID(), err)
	}
	for _, text := range []string{"", "hello", string(open), string(public.Text()[:60])} {
		if _, err := ParsePublicKey([]byte(text)); err == nil {
			t.Errorf("%.40q taken as a public key", text)
		}
	}
	for _, text := range []string{"", "hello", string(public.Text()), string(open[:80])} {
		if _, err := ParseSecretKey([]byte(text), ""); err == nil {
			t.Errorf("%.40q taken as a secret key", text)
		}
	}
}

// underRace says that the race detector is on.
var underRace bool

// Scrypt at the cost that minisign wants takes 20 s under the race detector and
// has nothing to race with; make test runs this one without it.
func TestSealedKeyFile(t *testing.T) {
	if underRace {
		t.Skip("runs without the race detector")
	}
	public, secret := newKeys(t)
	text, err := secret.Text("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	if !Sealed(text) {
		t.Error("a sealed key counts as open")
	}
	if again, err := ParseSecretKey(text, "open sesame"); err != nil || again.Public().ID() != public.ID() {
		t.Errorf("reads back as %s, %v", again.Public().ID(), err)
	}
	for _, password := range []string{"", "close"} {
		if _, err := ParseSecretKey(text, password); !errors.Is(err, ErrPassword) {
			t.Errorf("password %q: %v, want ErrPassword", password, err)
		}
	}
}

// The minisign program and this room take each other's files.
func TestMinisignProgram(t *testing.T) {
	minisign, err := exec.LookPath("minisign")
	if err != nil {
		t.Skip("the minisign program is not installed; make tools brings it")
	}
	dir := t.TempDir()
	public, secret := newKeys(t)
	open, err := secret.Text("")
	if err != nil {
		t.Fatal(err)
	}
	bundle := bytes.Repeat([]byte("bundle\x00\xff"), 1000)
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(args ...string) (string, error) {
		out, err := exec.Command(minisign, args...).CombinedOutput()
		return string(out), err
	}
	path, pub := file("b", bundle), file("k.pub", public.Text())
	file("b.minisig", sign(t, bundle, secret))

	out, err := run("-V", "-m", path, "-p", pub)
	if err != nil || !strings.Contains(out, "dealer@12") {
		t.Errorf("minisign -V: %v\n%s", err, out)
	}
	file("b", bundle[1:])
	if out, err := run("-V", "-m", path, "-p", pub); err == nil {
		t.Errorf("minisign verified a bundle that was cut off:\n%s", out)
	}

	file("b", bundle)
	if out, err := run("-S", "-m", path, "-s", file("k.key", open), "-t", "from minisign"); err != nil {
		t.Fatalf("minisign -S with our key file: %v\n%s", err, out)
	}
	signature, err := os.ReadFile(path + ".minisig")
	if err != nil {
		t.Fatal(err)
	}
	if comment, err := Verify(bundle, signature, []PublicKey{public}); err != nil || comment != "from minisign" {
		t.Errorf("what minisign signed: comment %q, %v", comment, err)
	}
	if out, err := run("-S", "-l", "-m", path, "-s", filepath.Join(dir, "k.key")); err != nil {
		t.Fatalf("minisign -S -l: %v\n%s", err, out)
	}
	if signature, err = os.ReadFile(path + ".minisig"); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(bundle, signature, []PublicKey{public}); !errors.Is(err, ErrBroken) {
		t.Errorf("legacy form: %v, want ErrBroken", err)
	}
}

func FuzzVerify(f *testing.F) {
	public, secret, err := NewKeys(strings.NewReader(strings.Repeat("seed", 64)))
	if err != nil {
		f.Fatal(err)
	}
	bundle := []byte("a bundle")
	signature, err := Sign(bundle, secret, "dealer@12")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bundle, signature)
	f.Add(bundle[1:], signature)
	f.Add(bundle, signature[:100])
	f.Fuzz(func(t *testing.T, b, s []byte) {
		comment, err := Verify(b, s, []PublicKey{public})
		if err == nil && (!bytes.Equal(b, bundle) || comment != "dealer@12") {
			t.Errorf("a forged bundle %q with %q passes", b, s)
		}
	})
}
