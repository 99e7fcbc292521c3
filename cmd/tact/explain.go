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
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/sense"
)

type explainFlags struct {
	replayFlags
	decision, at, slot string
	whyNot, stored     string
	codes, all, json   bool
	forCustomer        bool
	language           string
}

func newExplainCommand(a *app) *cobra.Command {
	f := explainFlags{replayFlags: replayFlags{rejected: -1}}
	cmd := &cobra.Command{
		Use:   "explain POLICY --events FILE | --moments FILE [--decision ID]",
		Short: "show how a decision came about: who fell where, why, and what would have changed it",
		Long: `Play recorded input through a policy, as tact replay does, and show the funnel of
one decision: how many candidates entered each stage and which fell there, with
the reason and what it rests on; the winner with its value worked out; what it
used, with its age and where it came from; and the smallest change with which the
best loser, or the action of --why-not, and any other would have won. That is true:
with the changes the whole decision was made again.

With --moments the decision is one that a device made, recomputed in full from what
it looked at (GET /v1/moments of the device). POLICY is the bundle that was in charge.

With --stored it is one that the hub has the record of (tact hub decisions --json):
the ten best losers, the others counted, and no values.

--for-customer says it in two sentences in the customer's language instead: what is
shown, why and from what, and how to change it; of a silence, why nothing is said.

The decision is the last one, the one named by --decision, or with --at the last
at or before that time; with --slot that of the slot alone. With --at or --slot an
unasked silence counts as well, though it is no decision.

--codes lists every reason code instead: its stage, what it means, and whether
this version can give it.`,
		Example: `  tact explain shop --events shop/monday.jsonl
  tact explain shop --events shop/monday.jsonl --decision replay-0-2
  tact explain shop --events shop/monday.jsonl --why-not roof-box
  tact explain shop --events shop/monday.jsonl --for-customer --language nl
  tact explain shop.bundle --moments kiosk-1.jsonl --decision kiosk-1-7-42
  tact hub decisions --json | tact explain shop.bundle --stored - --for-customer
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
	cmd.Flags().StringVar(&f.moments, "moments", "", "explain a decision of this export of a device, - for stdin")
	cmd.Flags().StringVar(&f.stored, "stored", "", "explain a decision that the hub stored, - for stdin")
	cmd.Flags().StringVar(&f.whyNot, "why-not", "", "the action of which to say what would have made it win (the best loser)")
	cmd.Flags().BoolVar(&f.forCustomer, "for-customer", false, "say it to the customer, in two sentences")
	cmd.Flags().StringVar(&f.language, "language", "", "language of --for-customer (that of the decision)")
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
	var err error
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
	refused := 0
	switch {
	case f.stored != "":
		if err = f.storedAlone(); err == nil {
			err = a.findStored(ctx, bundle.Bundle, f, &wanted)
		}
	case f.moments != "":
		if err = f.momentsAlone(); err == nil {
			err = a.findMoment(ctx, bundle, f, &wanted)
		}
	default:
		err = a.findReplayed(ctx, bundle, f, &wanted, &refused)
	}
	if err != nil {
		return err
	}
	if wanted.found == nil {
		return errors.Join(wanted.missing(), refusals(refused))
	}
	return errors.Join(a.printFunnel(bundle.Bundle, f, &wanted), refusals(refused))
}

// findReplayed plays the inputs and keeps the decision that is wanted.
func (a *app) findReplayed(ctx context.Context, bundle *engine.BundleUpdate, f *explainFlags, wanted *finder, refused *int) error {
	until, hasUntil, err := f.end()
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
	cfg := f.engineConfig()
	cfg.Moments = true
	mind := engine.New(cfg)
	player := replay.Player{Mind: mind, Bundle: bundle, Leases: leases, Refuse: a.refuse(refused), Out: func(o engine.Output) { wanted.look(mind, bundle.Bundle, o) }}
	if err := player.Play(ctx, lines, until, hasUntil); err != nil || wanted.moment == nil {
		return err
	}
	past, err := engine.Thaw(bundle, wanted.moment)
	if err != nil {
		return err
	}
	wanted.recall(past, wanted.found.Decision)
	return nil
}

// findMoment takes the decision that is wanted out of an export.
func (a *app) findMoment(ctx context.Context, bundle *engine.BundleUpdate, f *explainFlags, wanted *finder) error {
	var past *engine.Past
	var decision *engine.Decision
	err := a.eachMoment(ctx, f.moments, bundle, func(_ moments.Record, p *engine.Past, d *engine.Decision) bool {
		wanted.seen++
		wanted.last = d.ID
		if wanted.matches(d) {
			past, decision = p, d
		}
		return wanted.decision == "last" || decision == nil
	})
	if err != nil || decision == nil {
		return err
	}
	wanted.recall(past, decision)
	return nil
}

// printFunnel prints what was found.
func (a *app) printFunnel(b *catalog.Bundle, f *explainFlags, wanted *finder) (err error) {
	if f.forCustomer {
		_, err = fmt.Fprintln(a.stdout, funnel.ForCustomer(b, wanted.found, f.language))
		return err
	}
	switch {
	case wanted.past != nil:
		if err := wanted.found.AskWhyNot(wanted.past, f.whyNot); err != nil {
			return err
		}
	case f.whyNot != "":
		return errors.New("--why-not asks of a decision: a silence that nobody asked for is none")
	}
	if f.json {
		_, err = fmt.Fprintf(a.stdout, "%s\n", wanted.found.AppendJSON(nil))
	} else {
		_, err = fmt.Fprint(a.stdout, wanted.found.Text(b.Currency, f.all, a.paint()))
	}
	return err
}

// finder looks for a decision among the outputs as they come.
type finder struct {
	decision, slot string
	until          sense.Instant
	silent         bool // unasked silences count
	found          *funnel.Funnel
	moment         []byte       // of the decision that was found; nil where it has none
	past           *engine.Past // its moment
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
	for k, d := range o.Show {
		x.seen++
		x.last = d.ID
		if x.take(m, b, d) {
			x.moment = momentOf(&o, o.Show[k])
		}
	}
}

// momentOf returns what a decision looked at, nil where no policy is in charge.
func momentOf(o *engine.Output, d *engine.Decision) []byte {
	for k := range o.Moments {
		if o.Moments[k].Decision == d {
			return o.Moments[k].Bytes
		}
	}
	return nil
}

func (x *finder) matches(d *engine.Decision) bool {
	named := x.decision == "last" || x.decision == d.ID
	return named && d.At <= x.until && (x.slot == "" || x.slot == d.Slot)
}

func (x *finder) take(m *engine.Mind, b *catalog.Bundle, d *engine.Decision) bool {
	if !x.matches(d) {
		return false
	}
	d = d.Keep()
	f := funnel.Of(b, d, func(name string) (engine.Look, bool) { return m.Look(d.Session, name) })
	x.found, x.moment = &f, nil
	return true
}

// recall tells all that the moment of the decision knows.
func (x *finder) recall(p *engine.Past, d *engine.Decision) {
	f := funnel.From(p, d)
	x.found, x.past = &f, p
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
