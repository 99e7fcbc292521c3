package update

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// ErrNone says that no bundle was ever activated, or that none is whole any more.
var ErrNone = errors.New("no bundle is active")

// ErrNotStaged says that there is nothing to activate.
var ErrNotStaged = errors.New("no bundle is staged")

// Files is the disk as the store needs it.
type Files interface {
	// Read returns the whole file, an error that is fs.ErrNotExist where there is
	// none, and an error where it has more than limit bytes.
	Read(name string, limit int) ([]byte, error)
	// Replace writes the file so that a power cut leaves the old or the new
	// content, and is durable when it returns.
	Replace(name string, data []byte) error
}

// Decode reads a bundle whose signature is good: its name and version, and its content in the caller's
// form, which Bundle hands on.
type Decode func(bundle []byte) (name string, version int64, content any, err error)

// Bundle is a verified bundle.
type Bundle struct {
	Name    string
	Version int64
	Data    []byte
	Hash    [sha256.Size]byte // of Data
	Content any               // what Decode made of Data
	// Damage is nil as a rule; else what was found damaged on disk: the bundle
	// activated last (this is the one before it), or the file that says which counts.
	Damage error
}

// Store keeps two bundles on disk, the active one and the next or the one before.
type Store struct {
	files   Files
	trusted []PublicKey
	decode  Decode
}

// NewStore returns a store that takes bundles signed by one of the trusted keys.
func NewStore(files Files, trusted []PublicKey, decode Decode) *Store {
	return &Store{files: files, trusted: trusted, decode: decode}
}

// Stage verifies a bundle and writes it beside the active one, which it leaves
// alone; Activate then makes it count. A bundle that is byte for byte the active
// one is taken too, and mends it where its file is damaged. Errors: ErrUnsigned,
// ErrUntrusted, ErrBroken, ErrOlder, what the decoder says, or the disk's.
func (s *Store) Stage(data, signature []byte) (Bundle, error) {
	b, err := s.stage(data, signature)
	if err != nil {
		return Bundle{}, fmt.Errorf("stage bundle: %w", err)
	}
	return b, nil
}

func (s *Store) stage(data, signature []byte) (Bundle, error) {
	b, err := s.verify(data, signature)
	if err != nil {
		return Bundle{}, err
	}
	m, err := s.mark()
	if err != nil {
		return Bundle{}, err
	}
	if err := m.newer(b); err != nil {
		return Bundle{}, err
	}
	present, used := s.present(m)
	switch {
	case m.is(b) && used == m.Side && present.Damage == nil:
		return b, nil // there already
	case m.is(b):
		return b, s.write(m.Side, data, signature)
	}
	return b, s.write(otherSide(used), data, signature)
}

// Activate makes a bundle that Stage returned the active one. What was active
// stays on disk until the next Stage.
func (s *Store) Activate(b Bundle) error {
	if err := s.activate(b); err != nil {
		return fmt.Errorf("activate bundle: %w", err)
	}
	return nil
}

func (s *Store) activate(b Bundle) error {
	m, err := s.mark()
	if err != nil {
		return err
	}
	if err := m.newer(b); err != nil {
		return err
	}
	_, used := s.present(m)
	side := otherSide(used)
	if m.is(b) {
		side = m.Side
	}
	staged, err := s.read(side)
	if errors.Is(err, fs.ErrNotExist) || err == nil && staged.Hash != b.Hash {
		return ErrNotStaged
	}
	if err != nil {
		return err
	}
	m.Hashes[side] = b.hash()
	m.Seen[staged.Name] = staged.Version
	m.Side = side
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.files.Replace(markFile, text)
}

// Active returns the active bundle, verified again. Where its file is damaged
// it returns the one before, with the reason in Damage; where there is none
// that can be used, an error that is ErrNone.
func (s *Store) Active() (Bundle, error) {
	m, err := s.mark()
	if err != nil {
		return Bundle{}, fmt.Errorf("read active bundle: %w", err)
	}
	b, used := s.present(m)
	if used == "" && b.Damage != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrNone, b.Damage)
	}
	if used == "" {
		return Bundle{}, ErrNone
	}
	return b, nil
}

// present returns the bundle that counts and its side, "" where there is none.
func (s *Store) present(m mark) (Bundle, string) {
	if m.Side == "" {
		return Bundle{Damage: m.damage}, ""
	}
	b, damage := s.activated(m, m.Side)
	if damage == nil {
		b.Damage = m.damage
		return b, m.Side
	}
	before := otherSide(m.Side)
	if m.Hashes[before] != "" {
		if b, err := s.activated(m, before); err == nil {
			b.Damage = damage
			return b, before
		}
	}
	return Bundle{Damage: damage}, ""
}

// activated reads one side and checks that it is what was activated there.
func (s *Store) activated(m mark, side string) (Bundle, error) {
	b, err := s.read(side)
	if err != nil {
		return Bundle{}, err
	}
	if b.hash() != m.Hashes[side] {
		return Bundle{}, fmt.Errorf("%w: %s is not the one that was activated", ErrBroken, fileOf(side))
	}
	return b, nil
}

// write keeps bundle and signature in one file, so that no power cut parts them:
// two bytes of signature length, big endian, the signature, the bundle.
func (s *Store) write(side string, data, signature []byte) error {
	file := binary.BigEndian.AppendUint16(nil, uint16(len(signature))) // at most MaxSignature
	file = append(file, signature...)
	return s.files.Replace(fileOf(side), append(file, data...))
}

func (s *Store) read(side string) (Bundle, error) {
	file, err := s.files.Read(fileOf(side), 2+MaxSignature+MaxBundle)
	if err != nil {
		return Bundle{}, err
	}
	if len(file) < 2 || len(file) < 2+int(binary.BigEndian.Uint16(file)) {
		return Bundle{}, fmt.Errorf("%w: %s was cut off", ErrBroken, fileOf(side))
	}
	n := 2 + int(binary.BigEndian.Uint16(file))
	return s.verify(file[n:], file[2:n])
}

func (s *Store) verify(data, signature []byte) (Bundle, error) {
	if _, err := Verify(data, signature, s.trusted); err != nil {
		return Bundle{}, err
	}
	name, version, content, err := s.decode(data)
	if err != nil {
		return Bundle{}, fmt.Errorf("read bundle: %w", err)
	}
	return Bundle{Name: name, Version: version, Data: data, Hash: sha256.Sum256(data), Content: content}, nil
}

func fileOf(side string) string { return side + ".bundle" }

// otherSide is "a" where there is no side yet.
func otherSide(side string) string {
	if side == "a" {
		return "b"
	}
	return "a"
}
