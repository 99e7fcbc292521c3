package policy

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

// zoneRules is the time zone database of the IANA (public domain), as Go ships it. A machine's own is never
// asked, so that every machine makes the same bundle.
//
//go:embed zoneinfo.zip
var zoneRules []byte

// location reads one zone from the embedded database.
func location(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	archive, err := zip.NewReader(bytes.NewReader(zoneRules), int64(len(zoneRules)))
	if err != nil {
		return nil, fmt.Errorf("read zone rules: %w", err)
	}
	f, err := archive.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, errors.New("there is no such zone")
	} else if err != nil {
		return nil, fmt.Errorf("read zone rules: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, errors.New("there is no such zone")
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read zone rules: %w", err)
	}
	return time.LoadLocationFromTZData(name, data)
}

// Zone returns the rules of a named time zone from 1970 to 2100 as data.
func Zone(name string) (sense.Zone, error) {
	if name == "" || name == "Local" {
		return sense.UTC, fmt.Errorf("time zone %q: not a name", name)
	}
	l, err := location(name)
	if err != nil {
		return sense.UTC, fmt.Errorf("time zone %q: %w", name, err)
	}
	return sense.ZoneOf(l, name, 1970), nil
}
