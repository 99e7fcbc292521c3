package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/board"
	"github.com/tact-edge/tact/firmware/update"
)

// loadPolicy reads a policy: a folder is compiled on the fly, a file is a bundle.
// Findings are printed on stderr; with an error among them it returns errFindings.
func (a *app) loadPolicy(path string) (*engine.BundleUpdate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		b, findings, err := policy.Compile(path)
		if err != nil {
			return nil, err
		}
		if b == nil {
			// Warnings are the business of tact check.
			_ = policy.PrintFindings(a.stderr, findings, policySource(path))
			return nil, errFindings
		}
		return &engine.BundleUpdate{Bundle: b, Hash: catalog.Hash(catalog.Encode(b))}, nil
	}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		return nil, usage(fmt.Errorf("%s is one file of a policy: give its folder, %s", path, filepath.Dir(path)))
	}
	file, err := readSmall(path, update.MaxBundle)
	if err != nil {
		return nil, err
	}
	b, err := catalog.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a policy folder nor a bundle: %w", path, err)
	}
	return &engine.BundleUpdate{Bundle: b, Hash: sha256.Sum256(file)}, nil
}

// policySource reads the files of a policy folder for printing findings.
func policySource(dir string) policy.Source {
	return func(name string) ([]byte, error) {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return os.ReadFile(filepath.Join(dir, name))
		}
		return b, err
	}
}

// inputs are the recordings that replay and explain read.
type inputs struct {
	events, nmea, csv []string
}

func (in *inputs) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&in.events, "events", nil, "event lines to play, - for stdin; may be given several times")
	cmd.Flags().StringArrayVar(&in.nmea, "nmea", nil, "NMEA 0183 log to play as position, speed, course and altitude")
	cmd.Flags().StringArrayVar(&in.csv, "csv", nil, "CSV log to play: a header with `at`, and a column for each signal")
	// Without a name of their own they would be shown as `at`.
	cmd.Flags().Lookup("csv").Usage = "CSV log to play: a header with the column at (or time), and one for each signal"
}

// open opens all inputs: sensor logs first, so that what was sensed at an instant
// is known to an ask of the same instant. Of sensor logs only what the policy
// declares is played, all of it where there is none.
func (a *app) open(in *inputs, b *catalog.Bundle) (replay.Source, func(), error) {
	var sources []replay.Source
	var files []*os.File
	done := func() {
		for _, f := range files {
			f.Close()
		}
	}
	stdin := false
	each := func(paths []string, make func(name string, r io.Reader) replay.Source) error {
		for _, path := range paths {
			if path == "-" {
				if stdin {
					return usage(errors.New("stdin can be read once: give - for one input only"))
				}
				stdin = true
				sources = append(sources, make("stdin", a.stdin))
				continue
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			files = append(files, f)
			sources = append(sources, make(path, f))
		}
		return nil
	}
	err := errors.Join(
		each(in.nmea, func(name string, r io.Reader) replay.Source { return a.nmeaLog(name, r, declared(b)) }),
		each(in.csv, func(name string, r io.Reader) replay.Source { return a.csvLog(name, r, declared(b)) }),
		each(in.events, replay.Events),
	)
	switch {
	case err != nil:
		done()
		return nil, nil, err
	case len(sources) == 0:
		return nil, nil, usage(errors.New("nothing to play: give --events FILE, --nmea FILE or --csv FILE (- for stdin)"))
	}
	return replay.Merge(sources...), done, nil
}

// leases says whether the event files say themselves who is leased. Stdin is not
// looked through beforehand.
func (in *inputs) leases() (bool, error) {
	for _, path := range in.events {
		if path == "-" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return false, err
		}
		has, err := replay.HasLeases(f)
		f.Close()
		if has || err != nil {
			return has, err
		}
	}
	return false, nil
}

// declared says whether a signal is to be played; all are where there is no policy.
func declared(b *catalog.Bundle) func(e event.Event) (signal string, ok bool) {
	return func(e event.Event) (string, bool) {
		s, is := e.Body.(*event.Signal)
		if !is || b == nil {
			return "", true
		}
		return s.Name, slices.ContainsFunc(b.Signals, func(d catalog.Signal) bool { return d.Name == s.Name })
	}
}

func (a *app) nmeaLog(name string, r io.Reader, declared func(event.Event) (string, bool)) replay.Source {
	return replay.Pushed(name, func(emit func(event.Event) error, _ func(error)) error {
		n, err := board.ReplayNMEA(r, 0, func(e event.Event) error {
			if _, ok := declared(e); !ok {
				return nil // a receiver says more than a policy reads
			}
			return emit(e)
		})
		if n.BadChecksums+n.NoChecksum+n.Malformed+n.Older+n.OffDates > 0 || n.Sentences == 0 {
			a.say("%s: %d sentences; left out: %d with a wrong and %d without a checksum, %d that cannot be read, %d older than the present, %d with a date that is off",
				name, n.Sentences, n.BadChecksums, n.NoChecksum, n.Malformed, n.Older, n.OffDates)
		}
		return err
	})
}

func (a *app) csvLog(name string, r io.Reader, declared func(event.Event) (string, bool)) replay.Source {
	return replay.Pushed(name, func(emit func(event.Event) error, refuse func(error)) error {
		left := map[string]bool{}
		return board.ReplayCSV(r, name, board.CSVLayout{}, board.Sink{Refuse: refuse, Emit: func(e event.Event) error {
			signal, ok := declared(e)
			switch {
			case ok:
				return emit(e)
			case !left[signal]:
				left[signal] = true
				a.say("%s: column %s is no signal of this policy: left out", name, signal)
			}
			return nil
		}})
	})
}
