package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// ErrSignature says that a message is not signed by a key that is trusted, for
// the topic that it came on.
var ErrSignature = errors.New("signature is not right")

// Keys are the Ed25519 keys that may sign, by KeyID.
type Keys map[string]ed25519.PublicKey

// KeyID names a key: 16 hex digits of its SHA-256.
func KeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:8])
}

// KeysOf indexes keys.
func KeysOf(pubs ...ed25519.PublicKey) Keys {
	k := make(Keys, len(pubs))
	for _, p := range pubs {
		k[KeyID(p)] = p
	}
	return k
}

// signedText is what is signed. The topic is part of it, so that a message
// cannot be played to another device or tenant, or as something else.
func signedText(topic string, payload []byte) []byte {
	b := make([]byte, 0, 16+len(topic)+len(payload))
	b = append(b, "tact signed 1\n"...)
	b = append(b, topic...)
	b = append(b, '\n')
	return append(b, payload...)
}

// signedJSON is a signed document that people can read on the broker: payload
// is the JSON that was signed, byte for byte.
type signedJSON struct {
	Key       string          `json:"key"`
	Signature []byte          `json:"signature"`
	Payload   json.RawMessage `json:"payload"`
}

// Sign wraps payload for topic. A payload that is a JSON object gives a JSON
// object {key, signature, payload}; any other a msgp array of the same three.
// Whoever signs JSON must give it without spaces between, as EncodeJSON does.
func Sign(topic string, payload []byte, key ed25519.PrivateKey) ([]byte, error) {
	id := KeyID(key.Public().(ed25519.PublicKey))
	sig := ed25519.Sign(key, signedText(topic, payload))
	var b []byte
	if isJSON(payload) {
		head, err := json.Marshal(struct {
			Key       string `json:"key"`
			Signature []byte `json:"signature"`
		}{id, sig})
		if err != nil {
			return nil, fmt.Errorf("sign %s: %w", topic, err)
		}
		b = append(head[:len(head)-1], `,"payload":`...)
		b = append(append(b, payload...), '}')
	} else {
		b = msgp.AppendArrayHeader(nil, 3)
		b = msgp.AppendString(b, id)
		b = msgp.AppendBytes(b, sig)
		b = msgp.AppendBytes(b, payload)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("sign %s: %w", topic, tooLarge("message", len(b), MaxMessage))
	}
	return b, nil
}

func isJSON(b []byte) bool { return len(b) > 0 && b[0] == '{' }

// Open checks a message that came on topic and returns its payload, which is
// part of message. Nothing of the payload is looked at before the check.
func Open(topic string, message []byte, keys Keys) ([]byte, error) {
	if len(message) > MaxMessage {
		return nil, fmt.Errorf("open %s: %w", topic, tooLarge("message", len(message), MaxMessage))
	}
	s, err := readSigned(message)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", topic, err)
	}
	pub := keys[s.Key]
	if len(pub) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("open %s: key %.20q is not trusted here: %w", topic, s.Key, ErrSignature)
	}
	if !ed25519.Verify(pub, signedText(topic, s.Payload), s.Signature) {
		return nil, fmt.Errorf("open %s: %w", topic, ErrSignature)
	}
	return s.Payload, nil
}

func readSigned(b []byte) (signedJSON, error) {
	var s signedJSON
	if isJSON(b) {
		if err := checkJSON(b); err != nil {
			return s, err
		}
		if err := json.Unmarshal(b, &s); err != nil {
			return s, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		s.Payload = bytes.TrimSpace(s.Payload)
		return s, nil
	}
	if rest, err := skip(b, 1); err != nil || len(rest) > 0 {
		return s, fmt.Errorf("not one array: %w", ErrMalformed)
	}
	n, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || n != 3 {
		return s, fmt.Errorf("not key, signature and payload: %w", ErrMalformed)
	}
	key, rest, err := msgp.ReadStringZC(rest)
	if err != nil {
		return s, fmt.Errorf("key: %w: %w", ErrMalformed, err)
	}
	sig, rest, err := msgp.ReadBytesZC(rest)
	if err != nil {
		return s, fmt.Errorf("signature: %w: %w", ErrMalformed, err)
	}
	payload, rest, err := msgp.ReadBytesZC(rest)
	if err != nil || len(rest) > 0 {
		return s, fmt.Errorf("payload: %w", ErrMalformed)
	}
	return signedJSON{Key: string(key), Signature: sig, Payload: payload}, nil
}
