package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyPort is where a device keeps the key that wraps all others. What it
// protects from is said at each one.
type KeyPort interface {
	// Key returns the key, always the same.
	Key() ([32]byte, error)
}

// KeyFile is a file that only its owner may read; one that is not there is drawn
// and made. It protects what leaves the device without it: a database that was
// copied, set aside or sent to somebody, its free pages, a bug that gives out
// stored values. Not from who has the whole disk, or an image of it.
type KeyFile string

// Credential is a systemd credential (LoadCredentialEncrypted=), by its path below
// $CREDENTIALS_DIRECTORY; it is never made. Sealed to the machine's TPM, or to a key
// that the disk does not have, it protects from who has the disk, but not from root
// on the running device.
type Credential string

// Key implements KeyPort.
func (f KeyFile) Key() (key [32]byte, err error) {
	path := string(f)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		rand.Read(key[:])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return key, fmt.Errorf("make device key: %w", err)
		}
		if err := replaceFile(path, key[:]); err != nil {
			return key, fmt.Errorf("make device key: %w", err)
		}
		return key, nil
	}
	return keyOf(path, raw, err)
}

// Key implements KeyPort.
func (c Credential) Key() ([32]byte, error) {
	raw, err := os.ReadFile(string(c))
	return keyOf(string(c), raw, err)
}

func keyOf(path string, raw []byte, err error) (key [32]byte, _ error) {
	if err != nil {
		return key, fmt.Errorf("read device key: %w", err)
	}
	if len(raw) != len(key) {
		return key, fmt.Errorf("read device key %s: %d bytes, wants %d", path, len(raw), len(key))
	}
	return [32]byte(raw), nil
}

// DeviceKey returns the key of a KeyFile.
func DeviceKey(path string) ([32]byte, error) { return KeyFile(path).Key() }
