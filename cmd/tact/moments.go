package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
)

// eachMoment reads an export of moments, - for stdin, and makes every decision of it again.
func (a *app) eachMoment(ctx context.Context, path string, u *engine.BundleUpdate, see func(moments.Record, *engine.Past, *engine.Decision) bool) error {
	in, name := io.Reader(a.stdin), "stdin"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in, name = f, path
	}
	var thaw error
	err := moments.ReadExport(in, func(r moments.Record) bool {
		if thaw = ctx.Err(); thaw != nil {
			return false
		}
		p, err := engine.Thaw(u, r.Moment)
		if err != nil {
			thaw = fmt.Errorf("%s: decision %s: %w%s", name, r.Decision, err, otherBundle(u, r))
			return false
		}
		d := p.Decision()
		d.ID = r.Decision
		return see(r, p, d)
	})
	if thaw != nil {
		return thaw
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// otherBundle says what to do where a moment is of another bundle.
func otherBundle(u *engine.BundleUpdate, r moments.Record) string {
	hash, err := engine.FrozenBundle(r.Moment)
	if err != nil || hash == u.Hash {
		return ""
	}
	return fmt.Sprintf("; give the bundle that was in charge: the file whose sha256sum begins with %x", hash[:8])
}

// replayMoments makes every decision of an export again, prints it, and names what differs from what was decided.
func (a *app) replayMoments(ctx context.Context, path string, f *replayFlags) error {
	u, err := a.loadPolicy(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(a.stdout, 64<<10)
	differ, all := 0, 0
	var line []byte
	var wrote error
	err = a.eachMoment(ctx, f.moments, u, func(r moments.Record, _ *engine.Past, d *engine.Decision) bool {
		all++
		line = append(d.AppendJSON(line[:0], f.rejected), '\n')
		_, wrote = out.Write(line)
		if list := r.Said.Differs(d); len(list) > 0 {
			differ++
			for _, what := range list {
				fmt.Fprintf(a.stderr, "%s: %s\n", d.ID, what)
			}
		}
		return wrote == nil
	})
	if err = errors.Join(err, wrote, out.Flush()); err != nil {
		return err
	}
	switch {
	case all == 0:
		return fmt.Errorf("%s holds no moments", f.moments)
	case differ > 0:
		return fmt.Errorf("%d of %d decisions come out another way", differ, all)
	}
	fmt.Fprintf(a.stderr, "%d decisions made again, 0 differences\n", all)
	return nil
}
