package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
)

// teller tells the story: what came in, what was decided, for how much, why not
// the others. On a terminal a progress line stands below what was told.
type teller struct {
	colour  bool
	live    bool // the progress line
	policy  *catalog.Bundle
	meaning func(code string) string

	mu    sync.Mutex
	out   io.Writer
	err   error // of the first write that failed
	begun time.Time
	step  int
	steps int
	doing string
	drawn bool
	stop  chan struct{}
	done  sync.WaitGroup
}

// Styles of a terminal (ECMA-48, select graphic rendition).
const (
	bold   = "1"
	dim    = "2"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	red    = "31"
)

func (t *teller) paint(style, text string) string {
	if !t.colour || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// start begins the time, and the progress line.
func (t *teller) start(steps int) {
	t.begun, t.steps, t.stop = time.Now(), steps, make(chan struct{})
	if !t.live {
		return
	}
	t.done.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-t.stop:
				return
			case <-tick.C:
				t.mu.Lock()
				t.draw()
				t.mu.Unlock()
			}
		}
	})
}

// end takes the progress line away.
func (t *teller) end() {
	close(t.stop)
	t.done.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wipe()
	t.live = false
}

func (t *teller) draw() {
	const width = 24
	full := min(width, t.step*width/max(1, t.steps))
	text := fmt.Sprintf("[%s%s] %4.1f s  %.40s", strings.Repeat("=", full), strings.Repeat(".", width-full), time.Since(t.begun).Seconds(), t.doing)
	t.write("\r\x1b[K" + t.paint(dim, text))
	t.drawn = true
}

func (t *teller) wipe() {
	if t.drawn {
		t.write("\r\x1b[K")
		t.drawn = false
	}
}

func (t *teller) write(text string) {
	if _, err := io.WriteString(t.out, text); err != nil && t.err == nil {
		t.err = fmt.Errorf("tell the story: %w", err)
	}
}

// failed returns the error of the first line that could not be told.
func (t *teller) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// say prints a line.
func (t *teller) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wipe()
	t.write(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// wait says on the progress line what is waited for.
func (t *teller) wait(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doing = what
}

// chapter begins a journey.
func (t *teller) chapter(number, title, gist string) {
	t.mu.Lock()
	t.step++
	t.doing = title
	t.mu.Unlock()
	head := title
	if number != "" {
		head = number + "  " + title
	}
	t.say("")
	t.say("%s  %s", t.paint(bold, head), t.paint(dim, fmt.Sprintf("[%.1f s]", time.Since(t.begun).Seconds())))
	for _, l := range wrap(gist, 90) {
		t.say("    %s", l)
	}
}

// Widths of the columns.
const (
	whoWidth    = 12
	actionWidth = 16
	rowIndent   = 2 + 1 + 1 + whoWidth + 1        // blanks, sign, blank, who, blank
	whyIndent   = rowIndent + 4 + actionWidth + 1 // not, blank, action, blank
	lineWidth   = 132
)

// row prints a line of the story: a sign, who, what.
func (t *teller) row(sign, style, who, what string) {
	t.say("  %s %s %s", t.paint(style, sign), t.paint(style, pad(who, whoWidth)), what)
}

// in tells what came in.
func (t *teller) in(who, format string, args ...any) {
	t.row(">", cyan, who, fmt.Sprintf(format, args...))
}

// fact tells what was seen or measured.
func (t *teller) fact(who, format string, args ...any) {
	t.row("=", green, who, fmt.Sprintf(format, args...))
}

// decided tells a decision of a device: what, for how much, why not the others.
func (t *teller) decided(who string, d *decision) {
	if d.Action == silence {
		t.row("=", yellow, who, fmt.Sprintf("%s in %s: %s %s", t.paint(yellow, silence), d.Slot, t.plain(d.Cause), t.code(d.Cause)))
	} else {
		t.row("=", green, who, fmt.Sprintf("%s %s", t.paint(green, d.Action), spoken(d.Text)))
		t.row(" ", "", "", t.worth(d))
	}
	for from := 0; from < len(d.Rejected); {
		to, why := from+1, t.why(&d.Rejected[from])
		for to < len(d.Rejected) && t.why(&d.Rejected[to]) == why {
			to++
		}
		t.losers(d.Rejected[from:to], why)
		from = to
	}
}

// losers tells of candidates in a row that were not chosen for one reason.
func (t *teller) losers(list []loser, why string) {
	lines := wrap(why, lineWidth-whyIndent)
	for k := range list {
		not := t.paint(dim, "not ") + pad(list[k].Action, actionWidth) + " "
		if k > 0 {
			t.row(" ", "", "", not+t.paint(dim, "the same"))
			continue
		}
		for n, l := range lines {
			if n == len(lines)-1 { // it ends with the code
				at := strings.LastIndexByte(l, '[')
				l = l[:at] + t.paint(dim, l[at:])
			}
			if n > 0 {
				not = strings.Repeat(" ", whyIndent-rowIndent)
			}
			t.row(" ", "", "", not+l)
		}
	}
}

// spoken is the text of a treatment, in quotes.
func spoken(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	return `"` + text + `"`
}

// worth is the arithmetic of a decision in euros.
func (t *teller) worth(d *decision) string {
	a := t.action(d.Action)
	switch {
	case a == nil:
		return "worth EUR " + d.Value.String()
	case a.Mandatory:
		return "mandatory: it goes before everything that is only worth money"
	}
	return fmt.Sprintf("worth EUR %s = chance %s x EUR %s - bother EUR %s", d.Value, euros(int64(a.Propensity)), euros(int64(a.Value)), euros(int64(a.Bother)))
}

// action is what the policy says of an action.
func (t *teller) action(name string) *catalog.Action {
	for k := range t.policy.Actions {
		if t.policy.Actions[k].Name == name {
			return &t.policy.Actions[k]
		}
	}
	return nil
}

// price is what an action would have been worth.
func (t *teller) price(name string) string {
	a := t.action(name)
	if a == nil {
		return ""
	}
	return euros(int64(a.Value)/1e6*int64(a.Propensity) - int64(a.Bother))
}

// euros prints millionths with two places.
func euros(micro int64) string {
	sign := ""
	if micro < 0 {
		sign, micro = "-", -micro
	}
	return fmt.Sprintf("%s%d.%02d", sign, micro/1e6, micro%1e6/1e4)
}

// why tells why a candidate was not chosen: in plain words, what decided, the code.
func (t *teller) why(l *loser) string {
	text := t.plain(l.Reason)
	var because []string
	for _, b := range l.Because {
		one := b.Name
		if v := strings.Trim(string(b.Value), `"`); v != "null" && v != "" {
			one += " " + v
		}
		if b.Needed != nil && *b.Needed != b.Name {
			one += ", needed " + *b.Needed
		}
		because = append(because, one)
	}
	if len(because) > 0 {
		text += " (" + strings.Join(because, "; ") + ")"
	}
	return text + " [" + l.Reason + "]"
}

func (t *teller) plain(code string) string {
	if text := t.meaning(code); text != "" {
		return text
	}
	return code
}

func (t *teller) code(code string) string { return t.paint(dim, "["+code+"]") }

func pad(text string, width int) string {
	if n := len([]rune(text)); n < width {
		return text + strings.Repeat(" ", width-n)
	}
	return text
}

// wrap breaks a text into lines.
func wrap(text string, width int) (lines []string) {
	now := ""
	for word := range strings.FieldsSeq(text) {
		if now != "" && len(now)+1+len(word) > width {
			lines, now = append(lines, now), ""
		}
		if now != "" {
			now += " "
		}
		now += word
	}
	if now != "" {
		lines = append(lines, now)
	}
	return lines
}

// milliseconds of a span that was measured.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
