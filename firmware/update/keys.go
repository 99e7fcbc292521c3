package update

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"aead.dev/minisign"
)

// ErrPassword says that a secret key is sealed and the password is missing or wrong.
var ErrPassword = errors.New("key is sealed with a password: it is missing or wrong")

// PublicKey verifies bundles. The zero value verifies none.
type PublicKey struct{ key minisign.PublicKey }

// SecretKey signs bundles.
type SecretKey struct{ key minisign.PrivateKey }

// NewKeys draws a pair of keys from random; nil means the system's source.
func NewKeys(random io.Reader) (PublicKey, SecretKey, error) {
	public, secret, err := minisign.GenerateKey(random)
	if err != nil {
		return PublicKey{}, SecretKey{}, fmt.Errorf("draw keys: %w", err)
	}
	return PublicKey{public}, SecretKey{secret}, nil
}

// ParsePublicKey reads a .pub file as minisign writes it, or its second line alone.
func ParsePublicKey(text []byte) (PublicKey, error) {
	var k minisign.PublicKey
	if err := k.UnmarshalText(bytes.TrimSpace(text)); err != nil {
		return PublicKey{}, errors.New("read public key: not a minisign .pub file")
	}
	return PublicKey{k}, nil
}

// ID names the key as minisign prints it: up to 16 hexadecimal digits.
func (k PublicKey) ID() string { return keyID(k.key.ID()) }

// Text is the content of a .pub file.
func (k PublicKey) Text() []byte {
	return []byte("untrusted comment: minisign public key " + k.ID() + "\n" + k.key.String() + "\n")
}

// ParseSecretKey reads a .key file as minisign writes it. The password is not
// looked at where the file is not sealed.
func ParseSecretKey(text []byte, password string) (SecretKey, error) {
	text = bytes.TrimSpace(text)
	if Sealed(text) {
		if password == "" {
			return SecretKey{}, fmt.Errorf("read secret key: %w", ErrPassword)
		}
		k, err := minisign.DecryptKey(password, text)
		if err != nil {
			return SecretKey{}, fmt.Errorf("read secret key: %w", ErrPassword)
		}
		return SecretKey{k}, nil
	}
	var k minisign.PrivateKey
	if err := k.UnmarshalText(text); err != nil {
		return SecretKey{}, errors.New("read secret key: not a minisign .key file")
	}
	return SecretKey{k}, nil
}

// Sealed says whether a .key file needs a password.
func Sealed(text []byte) bool { return minisign.IsEncrypted(bytes.TrimSpace(text)) }

// Text is the content of a .key file, sealed with the password unless it is
// empty. Sealing takes about a second and a gigabyte of memory, as minisign wants it.
func (k SecretKey) Text(password string) ([]byte, error) {
	var text []byte
	var err error
	if password == "" {
		text, err = k.key.MarshalText()
	} else {
		text, err = minisign.EncryptKey(password, k.key)
	}
	if err != nil {
		return nil, fmt.Errorf("write secret key: %w", err)
	}
	return append(text, '\n'), nil
}

// Public returns the key that verifies what k signs.
func (k SecretKey) Public() PublicKey {
	return PublicKey{k.key.Public().(minisign.PublicKey)}
}

func keyID(id uint64) string { return strings.ToUpper(strconv.FormatUint(id, 16)) }
