package wire

import (
	"encoding/json"
	"fmt"
)

// Conn is the retained presence of a device, and of the hub. The broker sends
// the offline form as last will; one with a lower Counter than a Conn that was
// seen is a late death and counts for nothing.
type Conn struct {
	State   string `json:"state"` // online, offline
	Boot    uint64 `json:"boot,string"`
	Counter uint64 `json:"conn"`  // saved, one more with each connect
	Since   int64  `json:"since"` // ms, by the sender's clock
	// Life is drawn by each start of a device's process: it tells apart those who use one identity.
	Life string `json:"life,omitempty"`
}

// States of a Conn.
const (
	Online  = "online"
	Offline = "offline"
)

// Birth says what a device is, after each connect.
type Birth struct {
	Version string    `json:"version"` // of tactd
	Arch    string    `json:"arch"`
	Schema  [2]int    `json:"schema"` // oldest and newest record schema understood
	Bundle  BundleRef `json:"bundle"`
	Epoch   uint64    `json:"epoch,string"`
	First   uint64    `json:"first"` // lowest sequence number in the outbox
	Next    uint64    `json:"next"`  // the one that the next record gets
	Clock   string    `json:"clock"` // synced, floor, unknown
	Boot    uint64    `json:"boot,string"`
	Sources []string  `json:"sources,omitempty"` // signal sources that are there, sorted
	Groups  []string  `json:"groups,omitempty"`  // that the device belongs to, whose wants it follows
}

// BundleRef names a bundle: its name and version, and the SHA-256 of its file in hex.
type BundleRef struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// Reported answers a Want: what was applied, item by item.
type Reported struct {
	Revision uint64    `json:"revision"` // of the want that was applied
	Items    []Item    `json:"items"`
	Bundle   BundleRef `json:"bundle"`
}

// Item is one thing wanted; an empty Error means that it was applied.
type Item struct {
	Name  string `json:"name"`
	Error string `json:"error,omitempty"`
}

// Health is a tick of figures, name to value in base units.
type Health struct {
	At      int64            `json:"at"`
	Figures map[string]int64 `json:"figures"`
}

// EncodeJSON encodes a state, want, request or command document.
func EncodeJSON(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("encode %T: %w", v, tooLarge("message", len(b), MaxMessage))
	}
	return b, nil
}

// DecodeJSON reads one document into v. Keys that are not known here are left
// out: they belong to a newer version.
func DecodeJSON(b []byte, v any) error {
	if err := checkJSON(b); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decode %T: %w: %w", v, ErrMalformed, err)
	}
	return nil
}

// DecodeConn reads a presence and refuses another state than online and offline.
func DecodeConn(b []byte) (Conn, error) {
	var c Conn
	if err := DecodeJSON(b, &c); err != nil {
		return Conn{}, err
	}
	if c.State != Online && c.State != Offline {
		return Conn{}, fmt.Errorf("decode presence: state %.20q is neither online nor offline: %w", c.State, ErrMalformed)
	}
	return c, nil
}
