package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Figure is one measured number under a name that stays.
type Figure struct {
	Figure    string   `json:"figure"`
	Value     float64  `json:"value"`
	Unit      string   `json:"unit"`
	Peer      *string  `json:"peer"`
	PeerValue *float64 `json:"peer_value"`
	Ratio     *float64 `json:"ratio"` // value / peer_value
	Mark      *string  `json:"mark"`
	Met       *bool    `json:"met"`
}

// collected is what the lines say of one figure, before it is put together.
type collected struct {
	unit   string
	values []float64
	peer   string
	peers  []float64
	mark   string // at-most, at-least, ratio-at-most, ratio-at-least
	limit  float64
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_.-]*$`)

// readFigures reads the output of go test -bench: the processor's name, and the
// figures in order of name.
func readFigures(r io.Reader) (cpu string, figures []Figure, err error) {
	found := map[string]*collected{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "cpu: "); ok {
			cpu = rest
		}
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		// Name, iterations, then pairs of value and unit.
		for k := 2; k+1 < len(words); k += 2 {
			value, err := strconv.ParseFloat(words[k], 64)
			if err != nil {
				break // not a result line
			}
			if err := collect(found, value, words[k+1]); err != nil {
				return "", nil, fmt.Errorf("%s: metric %q: %w", words[0], words[k+1], err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return "", nil, fmt.Errorf("read benchmark output: %w", err)
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f, err := found[name].figure(name)
		if err != nil {
			return "", nil, fmt.Errorf("figure %s: %w", name, err)
		}
		figures = append(figures, f)
	}
	if len(figures) == 0 {
		return "", nil, errors.New("no figures in the input: benchmarks report them as b.ReportMetric(v, \"name:unit\")")
	}
	return cpu, figures, nil
}

// collect takes one metric; those without a colon are not figures.
func collect(found map[string]*collected, value float64, metric string) error {
	parts := strings.Split(metric, ":")
	if len(parts) == 1 {
		return nil
	}
	if !nameForm.MatchString(parts[0]) {
		return errors.New("the name of a figure is lower-case, as in rule.update.1000")
	}
	c := found[parts[0]]
	if c == nil {
		c = &collected{}
		found[parts[0]] = c
	}
	rest := parts[1:]
	if ratio := rest[0]; len(rest) == 1 && (ratio == "ratio-at-most" || ratio == "ratio-at-least") {
		return c.setMark(ratio, value)
	}
	if c.unit != "" && c.unit != rest[0] {
		return fmt.Errorf("its unit was %s before", c.unit)
	}
	c.unit = rest[0]
	switch {
	case len(rest) == 1:
		c.values = append(c.values, value)
	case len(rest) == 2 && (rest[1] == "at-most" || rest[1] == "at-least"):
		return c.setMark(rest[1], value)
	case len(rest) == 3 && rest[1] == "peer":
		if c.peer != "" && c.peer != rest[2] {
			return fmt.Errorf("its peer was %s before", c.peer)
		}
		c.peer = rest[2]
		c.peers = append(c.peers, value)
	default:
		return errors.New("expected name:unit, name:unit:peer:NAME, name:unit:at-most or at-least, name:ratio-at-most or ratio-at-least")
	}
	return nil
}

func (c *collected) setMark(mark string, limit float64) error {
	if c.mark != "" && (c.mark != mark || c.limit != limit) {
		return errors.New("it has another mark already")
	}
	c.mark, c.limit = mark, limit
	return nil
}

func (c *collected) figure(name string) (Figure, error) {
	if len(c.values) == 0 {
		return Figure{}, errors.New("a peer or a mark, but no value")
	}
	f := Figure{Figure: name, Value: median(c.values), Unit: c.unit}
	if c.peer != "" {
		peer := median(c.peers)
		f.Peer, f.PeerValue = &c.peer, &peer
		if peer != 0 {
			ratio := f.Value / peer
			f.Ratio = &ratio
		}
	}
	if c.mark == "" {
		return f, nil
	}
	kind, ofRatio := strings.CutPrefix(c.mark, "ratio-")
	measured, prefix := f.Value, ""
	if ofRatio {
		if f.Ratio == nil {
			return Figure{}, errors.New("a mark for the ratio, but no peer")
		}
		measured, prefix = *f.Ratio, "ratio "
	}
	sign, met := "<=", measured <= c.limit
	if kind == "at-least" {
		sign, met = ">=", measured >= c.limit
	}
	mark := prefix + sign + " " + strconv.FormatFloat(c.limit, 'f', -1, 64)
	f.Mark, f.Met = &mark, &met
	return f, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
