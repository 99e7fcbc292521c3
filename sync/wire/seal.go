package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrSeal says that something sealed cannot be opened with this key and handle.
var ErrSeal = errors.New("seal cannot be opened")

// SealToHub seals a customer's id to the hub's X25519 key, bound to the handle:
// nobody else who reads the wire or the broker's disk learns who it is. entropy
// is drawn by the caller from a secure source and never used twice.
// The result is the one-time public key, then AES-256-GCM.
func SealToHub(hubKey []byte, entropy [32]byte, h Handle, customer string) ([]byte, error) {
	hub, err := ecdh.X25519().NewPublicKey(hubKey)
	if err != nil {
		return nil, fmt.Errorf("seal to hub: key: %w", err)
	}
	once, err := ecdh.X25519().NewPrivateKey(entropy[:])
	if err != nil {
		return nil, fmt.Errorf("seal to hub: entropy: %w", err)
	}
	pub := once.PublicKey().Bytes()
	box, err := hubBox(once, hub, pub, hubKey)
	if err != nil {
		return nil, fmt.Errorf("seal to hub: %w", err)
	}
	return box.Seal(pub, make([]byte, box.NonceSize()), []byte(customer), h[:]), nil
}

// OpenAtHub opens what SealToHub made.
func OpenAtHub(key *ecdh.PrivateKey, h Handle, sealed []byte) (customer string, err error) {
	const size = 32
	if len(sealed) < size {
		return "", fmt.Errorf("open customer: too short: %w", ErrSeal)
	}
	once, err := ecdh.X25519().NewPublicKey(sealed[:size])
	if err != nil {
		return "", fmt.Errorf("open customer: %w: %w", ErrSeal, err)
	}
	box, err := hubBox(key, once, sealed[:size], key.PublicKey().Bytes())
	if err != nil {
		return "", fmt.Errorf("open customer: %w: %w", ErrSeal, err)
	}
	plain, err := box.Open(nil, make([]byte, box.NonceSize()), sealed[size:], h[:])
	if err != nil {
		return "", fmt.Errorf("open customer: %w", ErrSeal)
	}
	return string(plain), nil
}

// hubBox derives the cipher of one sealing. Its key is used once, so the nonce is zero.
func hubBox(own *ecdh.PrivateKey, other *ecdh.PublicKey, once, hub []byte) (cipher.AEAD, error) {
	shared, err := own.ECDH(other)
	if err != nil {
		return nil, err
	}
	salt := append(append([]byte{}, once...), hub...)
	key, err := hkdf.Key(sha256.New, shared, salt, "tact customer 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
