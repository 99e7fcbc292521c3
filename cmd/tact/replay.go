package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

type replayFlags struct {
	inputs
	signals, silence bool
	until            string
	rejected         int
	device           string
	moments          string
	epoch, from      uint64
}

func newReplayCommand(a *app) *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay [POLICY] --events FILE | POLICY --moments FILE",
		Short: "play recorded input through a policy and print every decision",
		Long: `Play recorded input through a policy and print every decision and every clear,
one JSON line each, on stdout. POLICY is a folder, compiled on the fly, or a
bundle. The same input gives the same bytes on every machine.

Inputs are merged by time. A line that is malformed, goes back in time or names
what the policy does not declare is refused on stderr with its place; the rest
goes on, and the exit code is 1 at the end. After the last line no timer fires
unless a tick line or --until says so.

With --moments the decisions of a device are made again, each from what it looked
at (GET /v1/moments of the device): every line is printed and compared with what
was decided then. Differences are named on stderr, and the exit code is 1. POLICY
is the bundle that was in charge, which is checked by its hash.

With --signals the readings are printed instead, after decoding and derivation:
{"at","signal","value"}. For that POLICY may be left out: then every signal is
printed as it was read.`,
		Example: `  tact replay shop --events shop/monday.jsonl
  tact replay shop.bundle --events - --silence < shop/monday.jsonl
  tact replay car --nmea drive.nmea --events cabin.jsonl --until 2026-03-02T12:00:00Z
  tact replay shop.bundle --moments kiosk-1.jsonl
  tact replay --nmea drive.nmea --signals`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && f.signals {
				return nil
			}
			return exactly("POLICY")(cmd, args)
		},
	}
	f.inputs.flags(cmd)
	cmd.Flags().StringVar(&f.moments, "moments", "", "make the decisions of this export of a device again, - for stdin")
	cmd.Flags().BoolVar(&f.signals, "signals", false, "print the readings instead of the decisions")
	cmd.Flags().BoolVar(&f.silence, "silence", false, "print unasked silences too, each time that their cause changes")
	cmd.Flags().StringVar(&f.until, "until", "", "let timers fire until this time (RFC 3339) after the last line")
	cmd.Flags().IntVar(&f.rejected, "rejected", -1, "print at most so many rejected candidates of a decision (-1: all)")
	cmd.Flags().StringVar(&f.device, "device", "replay", "device in the decisions' names")
	cmd.Flags().Uint64Var(&f.epoch, "epoch", 0, "epoch in the decisions' names")
	cmd.Flags().Uint64Var(&f.from, "from", 1, "number of the first decision")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return a.printSignals(cmd.Context(), &f)
		}
		if f.moments != "" {
			if err := f.momentsAlone(); err != nil {
				return err
			}
			return a.replayMoments(cmd.Context(), args[0], &f)
		}
		return a.replay(cmd.Context(), args[0], &f)
	}
	return cmd
}

// momentsAlone says that an export is the whole input.
func (f *replayFlags) momentsAlone() error {
	if len(f.events)+len(f.nmea)+len(f.csv) > 0 || f.signals || f.silence || f.until != "" {
		return usage(errors.New("--moments is the whole input: leave --events, --nmea, --csv, --signals, --silence and --until out"))
	}
	return nil
}

// engineConfig is the mind of a replay: everybody's slice is here, for ever.
func (f *replayFlags) engineConfig() engine.Config {
	return engine.Config{Device: f.device, Epoch: f.epoch, From: f.from, Leased: true, Zone: policy.Zone, Readings: f.signals}
}

func (f *replayFlags) end() (sense.Instant, bool, error) {
	if f.until == "" {
		return 0, false, nil
	}
	at, err := sense.ParseInstant(f.until)
	if err != nil {
		return 0, false, usage(fmt.Errorf("--until: %w", err))
	}
	return at, true, nil
}

func (a *app) replay(ctx context.Context, path string, f *replayFlags) error {
	until, hasUntil, err := f.end()
	if err != nil {
		return err
	}
	if f.from == 0 {
		return usage(errors.New("--from counts from 1"))
	}
	bundle, err := a.loadPolicy(path)
	if err != nil {
		return err
	}
	lines, done, err := a.open(&f.inputs, bundle.Bundle)
	if err != nil {
		return err
	}
	defer done()
	out := bufio.NewWriterSize(a.stdout, 64<<10)
	leases, err := f.leases()
	if err != nil {
		return err
	}
	p := replay.Printer{W: out, Signals: f.signals, Silence: f.silence, Rejected: f.rejected}
	refused := 0
	player := replay.Player{Mind: engine.New(f.engineConfig()), Bundle: bundle, Leases: leases, Out: p.Print, Refuse: a.refuse(&refused)}
	err = player.Play(ctx, lines, until, hasUntil)
	return errors.Join(err, p.Err, out.Flush(), refusals(refused))
}

// refuse names a line that was not taken, and counts it.
func (a *app) refuse(n *int) func(replay.Refused) {
	return func(r replay.Refused) {
		*n++
		fmt.Fprintf(a.stderr, "%s\n", r)
	}
}

// refusals is the error of a run that has refused lines.
func refusals(n int) error {
	switch n {
	case 0:
		return nil
	case 1:
		return errors.New("1 line was refused, the others were taken")
	}
	return fmt.Errorf("%d lines were refused, the others were taken", n)
}

// printSignals prints what the inputs say, without a policy.
func (a *app) printSignals(ctx context.Context, f *replayFlags) error {
	lines, done, err := a.open(&f.inputs, nil)
	if err != nil {
		return err
	}
	defer done()
	out := bufio.NewWriterSize(a.stdout, 64<<10)
	refused := 0
	refuse := a.refuse(&refused)
	var line []byte
	for l, err := range lines {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		if l.Err != nil {
			refuse(replay.Refused{File: l.File, Line: l.Number, Err: l.Err})
			continue
		}
		s, ok := l.Event.Body.(*event.Signal)
		if !ok {
			continue
		}
		r := engine.Reading{At: l.Event.At, Signal: s.Name, Value: s.Value}
		line = append(r.AppendJSON(line[:0]), '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return errors.Join(out.Flush(), refusals(refused))
}
