package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/firmware/update"
)

func TestSecretKey(t *testing.T) {
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	dir := t.TempDir()
	name := filepath.Join(dir, "shop")
	if err := a.newKeys(name, "", false); err != nil {
		t.Fatal(err)
	}
	public, err := publicKeys([]string{name + ".pub"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := a.secretKey(name + ".key")
	if err != nil || key.Public().ID() != public[0].ID() {
		t.Errorf("key %s, %v; want %s", key.Public().ID(), err, public[0].ID())
	}

	if _, err := a.secretKey(name + ".pub"); codeOf(err) != exitConfiguration {
		t.Errorf("a .pub file as secret key: %v, code %d", err, codeOf(err))
	}
	if _, err := a.secretKey(name); codeOf(err) != exitIO {
		t.Errorf("no file: %v, code %d", err, codeOf(err))
	}
	large := filepath.Join(dir, "large.key")
	if err := os.WriteFile(large, make([]byte, maxKeyFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.secretKey(large); codeOf(err) != exitFailed {
		t.Errorf("a large file: %v, code %d", err, codeOf(err))
	}

	// A sealed file, by its form alone: unsealing needs seconds and is tested
	// where it is done.
	sealed := filepath.Join(dir, "sealed.key")
	text := "untrusted comment: minisign encrypted secret key\n" + "RWRTY0Iy" + strings.Repeat("A", 204)
	if err := os.WriteFile(sealed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.secretKey(sealed); codeOf(err) != exitPermission || errors.Is(err, update.ErrPassword) {
		t.Errorf("no password typed: %v, code %d", err, codeOf(err))
	}
	a.stdin = strings.NewReader("sesame\n")
	if _, err := a.secretKey(sealed); codeOf(err) != exitPermission || !errors.Is(err, update.ErrPassword) {
		t.Errorf("a wrong password: %v, code %d", err, codeOf(err))
	}
}

func TestPassword(t *testing.T) {
	for in, want := range map[string]string{"sesame\n": "sesame", "sesame\r\nmore\n": "sesame", "sesame": "sesame", " a b \n": " a b "} {
		a := &app{stdin: strings.NewReader(in), stderr: io.Discard}
		if got, err := a.newPassword(); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}
