package wire

import (
	"encoding/hex"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Sym is a name: ID counts from 1 into the symbol table of the batch's bundle
// (ID 1 is Names[0]); where ID is 0, Name is written out. The zero Sym is none.
type Sym struct {
	ID   uint32
	Name string
}

// Named returns a name that is in no table.
func Named(name string) Sym { return Sym{Name: name} }

// IsNone says whether s names nothing.
func (s Sym) IsNone() bool { return s.ID == 0 && s.Name == "" }

// Resolve returns the name of s by the table of its bundle; ok is false where
// the table does not have it.
func (s Sym) Resolve(names []string) (name string, ok bool) {
	if s.ID == 0 {
		return s.Name, true
	}
	if uint64(s.ID) > uint64(len(names)) {
		return "", false
	}
	return names[s.ID-1], true
}

// MarshalMsg appends s: a number, or the name as text.
func (s Sym) MarshalMsg(b []byte) ([]byte, error) {
	if s.ID == 0 && s.Name != "" {
		if len(s.Name) > MaxName {
			return b, tooLarge("symbol", len(s.Name), MaxName)
		}
		return msgp.AppendString(b, s.Name), nil
	}
	return msgp.AppendUint32(b, s.ID), nil
}

// UnmarshalMsg reads what MarshalMsg wrote.
func (s *Sym) UnmarshalMsg(b []byte) ([]byte, error) {
	if msgp.NextType(b) != msgp.StrType {
		id, rest, err := msgp.ReadUint32Bytes(b)
		*s = Sym{ID: id}
		return rest, err
	}
	if !fits(b) {
		return b, fmt.Errorf("symbol is cut short: %w", ErrMalformed)
	}
	text, rest, err := msgp.ReadStringZC(b)
	if err != nil {
		return b, err
	}
	if len(text) > MaxName {
		return b, tooLarge("symbol", len(text), MaxName)
	}
	s.ID = 0
	if s.Name != string(text) { // a reused record often holds the same name: nothing is allocated
		s.Name = string(text)
	}
	return rest, nil
}

// Msgsize is an upper bound of the encoded size.
func (s Sym) Msgsize() int { return msgp.StringPrefixSize + len(s.Name) }

// Handle is the random name under which a device holds a customer for one
// lease. The zero Handle is nobody.
type Handle [16]byte

// IsNone says whether h is nobody.
func (h Handle) IsNone() bool { return h == Handle{} }

// String is h in hex, as it stands in topics and JSON; empty for nobody.
func (h Handle) String() string {
	if h.IsNone() {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// ParseHandle reads 32 lower-case hex digits, or nothing for nobody.
func ParseHandle(s string) (Handle, error) {
	var h Handle
	if s == "" {
		return h, nil
	}
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != s {
		return h, fmt.Errorf("handle %.40q is not 32 hex digits: %w", s, ErrMalformed)
	}
	copy(h[:], raw)
	return h, nil
}

// MarshalText and UnmarshalText make h hex in JSON.
func (h Handle) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h *Handle) UnmarshalText(b []byte) error {
	x, err := ParseHandle(string(b))
	*h = x
	return err
}

// MarshalMsg appends h: nil, or 16 bytes.
func (h Handle) MarshalMsg(b []byte) ([]byte, error) {
	if h.IsNone() {
		return msgp.AppendNil(b), nil
	}
	return msgp.AppendBytes(b, h[:]), nil
}

// UnmarshalMsg reads what MarshalMsg wrote.
func (h *Handle) UnmarshalMsg(b []byte) ([]byte, error) {
	*h = Handle{}
	if msgp.IsNil(b) {
		return msgp.ReadNilBytes(b)
	}
	return msgp.ReadExactBytes(b, h[:])
}

// Msgsize is an upper bound of the encoded size.
func (h Handle) Msgsize() int { return msgp.BytesPrefixSize + len(h) }

// BundleID is the first 8 bytes of the SHA-256 of a bundle file: enough to find
// a symbol table by; trust rests on the bundle's signature. Zero is no bundle.
type BundleID [8]byte

// String is b in hex.
func (b BundleID) String() string { return hex.EncodeToString(b[:]) }

// MarshalText and UnmarshalText make b hex in JSON.
func (b BundleID) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

func (b *BundleID) UnmarshalText(t []byte) error {
	raw, err := hex.DecodeString(string(t))
	if err != nil || len(raw) != len(b) {
		return fmt.Errorf("bundle id %.40q is not 16 hex digits: %w", t, ErrMalformed)
	}
	copy(b[:], raw)
	return nil
}
