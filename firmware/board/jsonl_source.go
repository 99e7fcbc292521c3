package board

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/tact-edge/tact/context/event"
)

// jsonlSource is a local app or a recording that writes event lines.
type jsonlSource struct {
	stream  stream
	source  string
	session string
	signals []string // that it says it gives; nil for any event
}

func newJSONLSource(c Config, p Ports) jsonlSource {
	j := jsonlSource{stream: c.stream(p), source: c.Name, session: c.session()}
	if len(c.Signals) > 0 {
		j.signals = sortedValues(c.Signals)
	}
	return j
}

func (j jsonlSource) Feeds() []string { return j.signals }

func (j jsonlSource) Run(ctx context.Context, to Sink) error {
	return j.stream.use(ctx, func(r io.Reader) error {
		lines := event.NewReader(r)
		for {
			line, err := lines.Next()
			if err != nil {
				return err
			}
			if line.Err != nil {
				to.Refuse(fmt.Errorf("%s:%d: %w", j.stream.name, line.Number, line.Err))
				continue
			}
			e := line.Event
			if s, ok := e.Body.(*event.Signal); ok && j.signals != nil && !slices.Contains(j.signals, s.Name) {
				to.Refuse(fmt.Errorf("%s:%d: signal %q is not among those that its configuration lists", j.stream.name, line.Number, s.Name))
				continue
			}
			if e.Source == "" {
				e.Source = j.source
			}
			if e.Session == event.MainSession {
				e.Session = j.session
			}
			if err := to.Emit(e); err != nil {
				return err
			}
		}
	})
}
