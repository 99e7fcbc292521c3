package update

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

const (
	markFile = "active.json"
	maxMark  = 1 << 20
)

// mark is the small file that says which of the two bundles counts.
type mark struct {
	Side string `json:"side"` // "a", "b", or "" where nothing was activated
	// Hashes of what was activated on each side, so that a bundle that is only
	// staged is never taken for the one before.
	Hashes map[string]string `json:"hashes"`
	// Seen is the highest version ever active, by name: a bundle of another name
	// in between opens no way back.
	Seen map[string]int64 `json:"seen"`

	damage error // where the file could not be read and was made up from the bundles
}

// is says whether b is the bundle activated last.
func (m mark) is(b Bundle) bool {
	return m.Side != "" && m.Hashes[m.Side] == b.hash()
}

// newer refuses what is not above every version of its name that was active,
// but for the bundle activated last itself.
func (m mark) newer(b Bundle) error {
	seen, known := m.Seen[b.Name]
	if !known || b.Version > seen || m.is(b) {
		return nil
	}
	return fmt.Errorf("%w: %s@%d is not above %s@%d", ErrOlder, b.Name, b.Version, b.Name, seen)
}

func (s *Store) mark() (mark, error) {
	text, err := s.files.Read(markFile, maxMark)
	if errors.Is(err, fs.ErrNotExist) {
		return mark{Hashes: map[string]string{}, Seen: map[string]int64{}}, nil
	}
	if err != nil && !errors.Is(err, ErrBroken) {
		return mark{}, err
	}
	var m mark
	bad := err != nil || json.Unmarshal(text, &m) != nil
	if bad || m.Side != "a" && m.Side != "b" || m.Hashes == nil || m.Seen == nil {
		return s.rebuild(), nil
	}
	return m, nil
}

// rebuild makes up a mark from the bundles on disk, the higher version first:
// both are signed, so the worst is that a staged one counts a little early.
func (s *Store) rebuild() mark {
	m := mark{
		Hashes: map[string]string{},
		Seen:   map[string]int64{},
		damage: fmt.Errorf("%w: %s can't be read", ErrBroken, markFile),
	}
	best := Bundle{}
	for _, side := range [...]string{"a", "b"} {
		b, err := s.read(side)
		if err != nil {
			continue
		}
		m.Hashes[side] = b.hash()
		m.Seen[b.Name] = max(m.Seen[b.Name], b.Version)
		if m.Side == "" || b.Version > best.Version {
			m.Side, best = side, b
		}
	}
	return m
}

// hash is how a mark names a bundle.
func (b Bundle) hash() string { return hex.EncodeToString(b.Hash[:]) }
