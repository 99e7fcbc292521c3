package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/sense"
)

type explainFlags struct {
	replayFlags
	decision, at, slot string
	codes, all, json   bool
}

func newExplainCommand(a *app) *cobra.Command {
	f := explainFlags{replayFlags: replayFlags{rejected: -1}}
	cmd := &cobra.Command{
		Use:   "explain POLICY --events FILE [--decision ID]",
		Short: "show how a decision came about: who fell where, and why",
		Long: `Play recorded input through a policy, as tact replay does, and show the funnel of
one decision: how many candidates entered each stage and which fell there, with
the reason and what it rests on; the winner with its value worked out; and what
it used, with its age.

The decision is the last one, the one named by --decision, or with --at the last
at or before that time; with --slot that of the slot alone. With --at or --slot an
unasked silence counts as well, though it is no decision.

--codes lists every reason code instead: its stage, what it means, and whether
this version can give it.`,
		Example: `  tact explain shop --events shop/monday.jsonl
  tact explain shop --events shop/monday.jsonl --decision replay-0-2
  tact explain shop --events shop/monday.jsonl --at 2026-03-02T10:15:00+01:00 --slot kiosk.home --json
  tact explain --codes`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.codes {
				return noArguments(cmd, args)
			}
			return exactly("POLICY")(cmd, args)
		},
	}
	f.inputs.flags(cmd)
	cmd.Flags().StringVar(&f.decision, "decision", "last", "the decision to explain, or last")
	cmd.Flags().StringVar(&f.at, "at", "", "the last decision at or before this time (RFC 3339)")
	cmd.Flags().StringVar(&f.slot, "slot", "", "of this slot alone")
	cmd.Flags().StringVar(&f.until, "until", "", "let timers fire until this time (RFC 3339) after the last line")
	cmd.Flags().StringVar(&f.device, "device", "replay", "device in the decisions' names")
	cmd.Flags().Uint64Var(&f.epoch, "epoch", 0, "epoch in the decisions' names")
	cmd.Flags().Uint64Var(&f.from, "from", 1, "number of the first decision")
	cmd.Flags().BoolVar(&f.all, "all", false, "name every candidate that fell, however many")
	cmd.Flags().BoolVar(&f.codes, "codes", false, "list the reason codes")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON, for scripts")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.codes {
			return a.printCodes(f.json)
		}
		return a.explain(cmd.Context(), args[0], &f)
	}
	return cmd
}

func (a *app) explain(ctx context.Context, path string, f *explainFlags) error {
	until, hasUntil, err := f.end()
	if err != nil {
		return err
	}
	wanted := finder{decision: f.decision, slot: f.slot, until: sense.Never}
	if f.at != "" {
		if wanted.until, err = sense.ParseInstant(f.at); err != nil {
			return usage(fmt.Errorf("--at: %w", err))
		}
		if f.decision != "last" {
			return usage(errors.New("--at and --decision both name a decision: give one of them"))
		}
	}
	wanted.silent = f.at != "" || f.slot != ""
	bundle, err := a.loadPolicy(path)
	if err != nil {
		return err
	}
	lines, done, err := a.open(&f.inputs, bundle.Bundle)
	if err != nil {
		return err
	}
	defer done()
	leases, err := f.leases()
	if err != nil {
		return err
	}
	mind := engine.New(f.engineConfig())
	refused := 0
	player := replay.Player{Mind: mind, Bundle: bundle, Leases: leases, Refuse: a.refuse(&refused), Out: func(o engine.Output) { wanted.look(mind, bundle.Bundle, o) }}
	if err := player.Play(ctx, lines, until, hasUntil); err != nil {
		return err
	}
	if wanted.found == nil {
		return errors.Join(wanted.missing(), refusals(refused))
	}
	if f.json {
		_, err = fmt.Fprintf(a.stdout, "%s\n", wanted.found.AppendJSON(nil))
	} else {
		_, err = fmt.Fprint(a.stdout, wanted.found.Text(bundle.Bundle.Currency, f.all, a.paint()))
	}
	return errors.Join(err, refusals(refused))
}

// finder looks for a decision among the outputs as they come.
type finder struct {
	decision, slot string
	until          sense.Instant
	silent         bool // unasked silences count
	found          *funnel.Funnel
	seen           int
	last           string
}

// look takes the decision that matches now: what its inputs stand for can be
// seen only before the next step.
func (x *finder) look(m *engine.Mind, b *catalog.Bundle, o engine.Output) {
	replay.InOrder(&o)
	if x.silent {
		for k := range o.Silent {
			x.take(m, b, &o.Silent[k].Decision)
		}
	}
	for _, d := range o.Show {
		x.seen++
		x.last = d.ID
		x.take(m, b, d)
	}
}

func (x *finder) take(m *engine.Mind, b *catalog.Bundle, d *engine.Decision) {
	named := x.decision == "last" || x.decision == d.ID
	if !named || d.At > x.until || x.slot != "" && x.slot != d.Slot {
		return
	}
	f := funnel.Of(b, d, func(name string) (engine.Look, bool) { return m.Look(d.Session, name) })
	x.found = &f
}

// missing says why there is nothing to explain.
func (x *finder) missing() error {
	switch {
	case x.seen == 0:
		return errors.New("nothing was decided: no line asked for a slot, and no unasked slot had anything to say")
	case x.decision != "last":
		return fmt.Errorf("decision %s is not among the %d of this input, the last of which is %s", x.decision, x.seen, x.last)
	}
	return fmt.Errorf("none of the %d decisions of this input is in that slot at or before that time", x.seen)
}

// paint returns colours for a terminal, nil elsewhere or where NO_COLOR is set.
func (a *app) paint() funnel.Paint {
	f, ok := a.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func(tone, text string) string {
		codes := map[string]string{"good": "32", "bad": "31", "faint": "2", "strong": "1"}
		return "\x1b[" + codes[tone] + "m" + text + "\x1b[0m"
	}
}
