package update

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"aead.dev/minisign"
)

// MaxBundle is the largest bundle in bytes that is signed, verified or kept.
const MaxBundle = 8 << 20

// MaxSignature is the largest .minisig file in bytes.
const MaxSignature = 4 << 10

// maxComment keeps a signature below MaxSignature, and below what minisign reads.
const maxComment = 512

// Why a bundle is refused.
var (
	// ErrUnsigned: there is no signature.
	ErrUnsigned = errors.New("bundle is not signed")
	// ErrUntrusted: the signature is by a key that is not trusted here.
	ErrUntrusted = errors.New("bundle is signed by a key that is not trusted")
	// ErrBroken: bundle or signature was truncated or changed.
	ErrBroken = errors.New("bundle is broken")
	// ErrOlder: the version is not above the one present.
	ErrOlder = errors.New("bundle is not newer than the present one")
)

// Sign returns the content of a .minisig file. The comment (the bundle's
// name@version) is signed too, in one line of at most 512 bytes. No time is
// written, so that the same bundle and key give the same file.
func Sign(bundle []byte, key SecretKey, comment string) ([]byte, error) {
	if len(bundle) > MaxBundle {
		return nil, fmt.Errorf("sign bundle: %d bytes, at most %d are allowed", len(bundle), MaxBundle)
	}
	if len(comment) > maxComment || strings.ContainsAny(comment, "\r\n\x00") {
		return nil, fmt.Errorf("sign bundle: comment must be one line of at most %d bytes", maxComment)
	}
	return digest(bundle).SignWithComments(key.key, comment, "signature from tact secret key "+key.Public().ID()), nil
}

// Verify returns the trusted comment of a bundle that one of the trusted keys
// signed; else an error that is ErrUnsigned, ErrUntrusted or ErrBroken.
func Verify(bundle, signature []byte, trusted []PublicKey) (comment string, err error) {
	if len(bytes.TrimSpace(signature)) == 0 {
		return "", ErrUnsigned
	}
	if len(signature) > MaxSignature {
		return "", fmt.Errorf("%w: signature has %d bytes, at most %d are allowed", ErrBroken, len(signature), MaxSignature)
	}
	var s minisign.Signature
	if err := s.UnmarshalText(signature); err != nil {
		return "", fmt.Errorf("%w: signature is cut off or not a minisign signature", ErrBroken)
	}
	if s.Algorithm != minisign.HashEdDSA {
		return "", fmt.Errorf("%w: signature is in minisign's legacy form; sign again without -l", ErrBroken)
	}
	if len(bundle) > MaxBundle {
		return "", fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrBroken, len(bundle), MaxBundle)
	}
	known := make([]string, len(trusted))
	found := false
	message := digest(bundle)
	for k, key := range trusted {
		known[k] = key.ID()
		if key.key.ID() != s.KeyID {
			continue
		}
		found = true
		if message.Verify(key.key, signature) {
			return s.TrustedComment, nil
		}
	}
	if found {
		return "", fmt.Errorf("%w: it does not match its signature by key %s, so it was cut off or changed", ErrBroken, keyID(s.KeyID))
	}
	if len(known) == 0 {
		return "", fmt.Errorf("%w: key %s, and no key is trusted here", ErrUntrusted, keyID(s.KeyID))
	}
	return "", fmt.Errorf("%w: key %s, trusted here: %s", ErrUntrusted, keyID(s.KeyID), strings.Join(known, ", "))
}

// digest reads the bundle through the pre-hashed form.
func digest(bundle []byte) *minisign.Reader {
	r := minisign.NewReader(bytes.NewReader(bundle))
	_, _ = io.Copy(io.Discard, r) // neither side can fail
	return r
}
