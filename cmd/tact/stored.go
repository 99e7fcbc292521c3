package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub/serve"
)

// maxStored is the longest line of stored decisions in bytes.
const maxStored = 1 << 20

// findStored takes the decision that is wanted out of what the hub stored of devices' decisions: the lines
// of tact hub decisions --json. Values, texts and all but the ten best losers are not stored.
func (a *app) findStored(ctx context.Context, b *catalog.Bundle, f *explainFlags, wanted *finder) error {
	in, name := io.Reader(a.stdin), "stdin"
	if f.stored != "-" {
		file, err := os.Open(f.stored)
		if err != nil {
			return err
		}
		defer file.Close()
		in, name = file, f.stored
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxStored)
	for n := 1; lines.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var x serve.Decision
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil || x.Decision == "" || x.Action == "" {
			return fmt.Errorf("%s: line %d is no stored decision: give the lines of tact hub decisions --json", name, n)
		}
		d, err := storedDecision(&x, b)
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", name, n, err)
		}
		wanted.seen++
		wanted.last = d.ID
		if wanted.matches(d) {
			found := funnel.Of(b, d, nil)
			wanted.found = &found
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// storedDecision makes a decision of what is stored of it.
func storedDecision(x *serve.Decision, b *catalog.Bundle) (d *engine.Decision, err error) {
	d = &engine.Decision{ID: x.Decision, Session: x.Session, Slot: x.Slot, Customer: x.Handle, Asked: x.Asked, Action: x.Action, Uses: x.Uses,
		Policy: fmt.Sprintf("%s@%d", b.Name, b.Version), Propensity: -1}
	if d.At, err = sense.ParseInstant(x.At); err != nil {
		return nil, err
	}
	if x.Treatment != nil {
		d.Treatment = *x.Treatment
	}
	if x.Cause != nil {
		d.Cause = *x.Cause
	}
	for _, part := range []struct {
		raw  json.RawMessage
		into *catalog.Micro
	}{{x.Value, &d.Value}, {x.Propensity, &d.Propensity}} {
		if text := string(part.raw); text != "" && text != "null" {
			if *part.into, err = sense.ParseMicro(text); err != nil {
				return nil, err
			}
		}
	}
	if len(b.Languages) > 0 {
		d.Language = b.Languages[0]
	}
	add := func(action, stage, reason string) error {
		r, ok := catalog.ParseReason(reason)
		k := slices.IndexFunc(stages(), func(s catalog.Stage) bool { return s.String() == stage })
		if !ok || k < 0 {
			return fmt.Errorf("%s fell at %q because %q, which this version does not know", action, stage, reason)
		}
		d.Rejected = append(d.Rejected, engine.Rejected{Action: action, Stage: stages()[k], Reason: r})
		return nil
	}
	for _, l := range x.Rejected {
		if err := add(l.Action, l.Stage, l.Reason); err != nil {
			return nil, err
		}
	}
	for _, l := range x.Rest {
		if err := add(fmt.Sprintf("(%d more)", l.N), l.Stage, l.Reason); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(d.Rejected, func(a, b engine.Rejected) int { return strings.Compare(a.Action, b.Action) })
	return d, nil
}

// stages are all that a candidate can fall at, in order.
func stages() (all []catalog.Stage) {
	for s := catalog.StageQuiet; s <= catalog.StageTreatment; s++ {
		all = append(all, s)
	}
	return all
}

// storedAlone says that stored decisions are the whole input.
func (f *explainFlags) storedAlone() error {
	if f.moments != "" || len(f.events)+len(f.nmea)+len(f.csv) > 0 || f.until != "" {
		return usage(errors.New("--stored is the whole input: leave --moments, --events, --nmea, --csv and --until out"))
	}
	if f.whyNot != "" {
		return usage(errors.New("--why-not needs what the decision looked at: ask with --moments or --events"))
	}
	return nil
}
