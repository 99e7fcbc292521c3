package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim/chance"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// TestProperties holds what the contract promises against random policies and event
// files. Each property is a function in a file of its own; its error says what was
// seen. TACT_RUNS is how many policies, TACT_SEED the first seed (1), TACT_KEEP a folder
// in which the policies and event files of failures are left. Without TACT_RUNS 160
// policies are held against short event files, and each against a third of the
// properties for which it is played again.
func TestProperties(t *testing.T) {
	runs, first := number(t, "TACT_RUNS", 110), uint64(number(t, "TACT_SEED", 1))
	long := os.Getenv("TACT_RUNS") != ""
	lines := 48
	if long {
		lines = 200
	}
	var (
		mutex   sync.Mutex
		failed  = map[string][]string{}
		next    atomic.Uint64
		sum     tally
		refused []string
	)
	dir := t.TempDir()
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				k := next.Add(1) - 1
				if k >= uint64(runs) {
					return
				}
				p, err := draw(dir, first+k, lines)
				mutex.Lock()
				if err != nil {
					refused = append(refused, err.Error())
				}
				sum.add(p)
				mutex.Unlock()
				if p == nil {
					continue
				}
				for n, one := range properties {
					if one.plays && !long && n%3 != int(p.seed%3) {
						continue
					}
					if err := one.holds(p); err != nil {
						mutex.Lock()
						failed[one.name] = append(failed[one.name], fmt.Sprintf("seed %d: %v", p.seed, err))
						p.keep(t, one.name)
						mutex.Unlock()
					}
				}
			}
		})
	}
	workers.Wait()
	t.Logf("seeds %d to %d: %s", first, first+uint64(runs)-1, sum)
	if 20*len(refused) > runs {
		t.Errorf("%d of %d policies do not compile: %s", len(refused), runs, refused[0])
	}
	for _, one := range properties {
		t.Run(one.name, func(t *testing.T) {
			list := failed[one.name]
			slices.Sort(list)
			for k, f := range list {
				if k == 5 {
					t.Errorf("and %d more", len(list)-k)
					break
				}
				t.Error(f)
			}
		})
	}
	if runs >= 100 {
		sum.check(t)
	}
}

// properties are what must hold of every policy and every event file.
var properties = []struct {
	name  string
	plays bool // plays the pair again, which takes its time
	holds func(*pair) error
}{
	{"every request has one answer, and unasked showings no other", false, everyRequestAnswered},
	{"every candidate is accounted for, once and for a reason of its stage", false, candidatesAccounted},
	{"a slot holds one thing at a time", false, oneThingInASlot},
	{"nothing personal survives the end of a session", false, nothingPersonalSurvives},
	{"nothing is shown without a basis at that instant", false, basisAtEveryInstant},
	{"nobody but the one before a shared screen reads what is personal", false, aloneAtSharedScreens},
	{"at the wheel only what passes", false, wheelOnlyPasses},
	{"no limit is ever exceeded", false, limitsKept},
	{"never holds for ever", false, neverHolds},
	{"the same input gives the same bytes", true, sameBytes},
	{"permuting lines within a step changes no byte", true, permutedSteps},
	{"an action that is not eligible changes nothing but rejected", true, notEligibleAdded},
	{"a higher value breaks no guard and no quiet state", true, valueRaised},
	{"a purpose switched off is a slice without what is held for it", true, purposeOff},
	{"a restart from the snapshot goes on as a boot does", true, cutAndRestored},
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, s)
	}
	return n
}

// pair is a random policy with random events, and what came of them.
type pair struct {
	seed   uint64
	files  chance.Files
	dir    string
	bundle *catalog.Bundle
	lines  []string
	base   *play
}

// draw makes the pair of a seed with so many lines or some more, and plays it. Policies that do not compile are an error.
func draw(dir string, seed uint64, lines int) (*pair, error) {
	p := &pair{seed: seed, files: chance.Policy(seed), dir: filepath.Join(dir, strconv.FormatUint(seed, 10))}
	b, err := p.compiled(nil)
	if err != nil {
		return nil, err
	}
	p.bundle = b
	p.lines = chance.Events(seed, p.bundle, lines)
	p.base = played(p.bundle, p.lines)
	return p, nil
}

// compiled compiles the policy with further files.
func (p *pair) compiled(more chance.Files) (*catalog.Bundle, error) {
	files := maps.Clone(p.files)
	maps.Copy(files, more)
	defer os.RemoveAll(p.dir)
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return nil, err
	}
	if err := files.Write(p.dir); err != nil {
		return nil, err
	}
	b, findings, err := policy.Compile(p.dir)
	if err != nil {
		return nil, err
	}
	for _, f := range findings {
		if f.Severity == policy.Error {
			return nil, fmt.Errorf("seed %d: %s", p.seed, f)
		}
	}
	return b, nil
}

// keep leaves the files of a failure in TACT_KEEP.
func (p *pair) keep(t *testing.T, property string) {
	dir := os.Getenv("TACT_KEEP")
	if dir == "" {
		return
	}
	dir = filepath.Join(dir, fmt.Sprintf("%d %s", p.seed, property))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Error(err)
	}
	if err := p.files.Write(dir); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte(strings.Join(p.lines, "\n")+"\n"), 0o644); err != nil {
		t.Error(err)
	}
}

// play is what came of playing lines.
type play struct {
	steps   []step
	refused map[int]string // line number to reason
	text    []byte         // the lines that replay prints
}

// step is one step of a play: its input, and what followed. A step without events is a timer's.
type step struct {
	events []event.Event
	out    engine.Output
}

// decisions calls f for each decision line in order.
func (r *play) decisions(f func(d *engine.Decision) error) error {
	for k := range r.steps {
		for _, d := range r.steps[k].out.Show {
			if err := f(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func config() engine.Config {
	return engine.Config{Device: "replay", From: 1, Leased: true, Zone: policy.Zone}
}

// played plays lines as tact replay does.
func played(b *catalog.Bundle, lines []string) *play {
	return playedBy(engine.New(config()), b, lines)
}

func playedBy(m *engine.Mind, b *catalog.Bundle, lines []string) *play {
	r := &play{refused: map[int]string{}}
	var text bytes.Buffer
	printer := replay.Printer{W: &text, Rejected: -1}
	player := replay.Player{
		Mind:   m,
		Bundle: &engine.BundleUpdate{Bundle: b},
		Took:   func(_ sense.Instant, events []event.Event) { r.steps = append(r.steps, step{events: events}) },
		Out: func(o engine.Output) {
			printer.Print(o)
			r.steps[len(r.steps)-1].out = o.Keep()
		},
		Refuse: func(x replay.Refused) { r.refused[x.Line] = x.Err.Error() },
	}
	source := replay.Events("events", strings.NewReader(strings.Join(lines, "\n")))
	if err := player.Play(context.Background(), replay.Merge(source), 0, false); err != nil {
		panic(err) // the source is text in memory
	}
	r.text = text.Bytes()
	return r
}

// tally counts what the pairs held, so that a run over nothing is seen.
type tally struct {
	policies, steps, refused, silences, actions, fallbacks, unasked, personal, cleared int
	reasons                                                                            map[string]int
}

func (s *tally) add(p *pair) {
	if p == nil {
		return
	}
	if s.reasons == nil {
		s.reasons = map[string]int{}
	}
	s.policies++
	s.steps += len(p.base.steps)
	s.refused += len(p.base.refused)
	for k := range p.base.steps {
		out := &p.base.steps[k].out
		s.cleared += len(out.Clear)
		for _, d := range out.Show {
			switch {
			case d.Cause == "fallback":
				s.fallbacks++
			case d.Action == "silence":
				s.silences++
			default:
				s.actions++
			}
			if !d.Asked {
				s.unasked++
			}
			if d.Treatment == "say_personal" {
				s.personal++
			}
			for k := range d.Rejected {
				s.reasons[d.Rejected[k].Reason.String()]++
			}
		}
	}
}

func (s tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d policies, %d steps, %d lines refused, %d actions, %d fallbacks, %d silences, %d unasked, %d personal, %d cleared; candidates fell by",
		s.policies, s.steps, s.refused, s.actions, s.fallbacks, s.silences, s.unasked, s.personal, s.cleared)
	for _, r := range slices.Sorted(maps.Keys(s.reasons)) {
		fmt.Fprintf(&b, " %s %d", r, s.reasons[r])
	}
	return b.String()
}

// check sees that the pairs were no empty talk.
func (s *tally) check(t *testing.T) {
	for what, n := range map[string]int{"actions": s.actions, "silences": s.silences, "fallbacks": s.fallbacks, "unasked": s.unasked, "personal": s.personal, "cleared": s.cleared, "refused": s.refused} {
		if n < s.policies/20 {
			t.Errorf("only %d %s in %d policies: chance shows too little", n, what, s.policies)
		}
	}
}
