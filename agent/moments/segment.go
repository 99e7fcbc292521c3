package moments

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// A segment is a file: a line that says what it is, then frames: length of the rest, its checksum, instant,
// handle, and what is sealed.
const (
	magic     = "tact moments 1\n"
	frameHead = 4 + 4
	bodyHead  = 8 + 16
	ending    = ".moments"
)

var checksums = crc32.MakeTable(crc32.Castagnoli)

// frame is one record in a segment, still sealed.
type frame struct {
	at     sense.Instant
	handle engine.Handle
	sealed []byte
}

func (f *frame) append(b []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, frameHead)...)
	b = binary.BigEndian.AppendUint64(b, uint64(f.at))
	b = append(b, f.handle[:]...)
	b = append(b, f.sealed...)
	body := b[start+frameHead:]
	binary.BigEndian.PutUint32(b[start:], uint32(len(body)))
	binary.BigEndian.PutUint32(b[start+4:], crc32.Checksum(body, checksums))
	return b
}

// framesOf reads a segment: its sound frames, how many bytes of it are sound up to a torn tail, and how many
// frames are damaged. A checksum that is wrong costs its frame; a length that cannot be ends the segment.
func framesOf(raw []byte) (all []frame, sound int, damaged int) {
	if !strings.HasPrefix(string(raw[:min(len(raw), len(magic))]), magic) {
		return nil, 0, 0
	}
	sound = len(magic)
	for b := raw[len(magic):]; len(b) >= frameHead; {
		n := int64(binary.BigEndian.Uint32(b))
		if n < bodyHead || n > maxRecord || n > int64(len(b)-frameHead) {
			break
		}
		body := b[frameHead : frameHead+n]
		if crc32.Checksum(body, checksums) == binary.BigEndian.Uint32(b[4:]) {
			all = append(all, frame{at: sense.Instant(binary.BigEndian.Uint64(body)), handle: engine.Handle(body[8:24]), sealed: body[bodyHead:]})
		} else {
			damaged++
		}
		b = b[frameHead+n:]
		sound += frameHead + int(n)
	}
	return all, sound, damaged
}

// segment is what is known of one file without reading it.
type segment struct {
	number  uint64
	size    int64
	records int
	newest  sense.Instant
	handles map[engine.Handle]bool
}

func (s *segment) note(f *frame, size int) {
	s.size += int64(size)
	s.records++
	s.newest = max(s.newest, f.at)
	s.handles[f.handle] = true
}

func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%012d%s", number, ending))
}

// listSegments returns the numbers of the segments in a folder, in order. Other files are left alone.
func listSegments(dir string) (numbers []uint64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		var n uint64
		name, ok := strings.CutSuffix(e.Name(), ending)
		if _, err := fmt.Sscanf(name, "%d", &n); ok && err == nil && len(name) == 12 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// readSegment reads a file of bounded size.
func readSegment(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes, more than any segment: %w", path, info.Size(), ErrRecord)
	}
	return os.ReadFile(path)
}

// writeSegment replaces a file whole.
func writeSegment(path string, raw []byte) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return os.Rename(next, path)
}
