package event

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// read prints what a reader yields: number, then event or error.
func read(t *testing.T, r io.Reader) (lines []string, end error) {
	t.Helper()
	in := NewReader(r)
	for {
		line, err := in.Next()
		if err != nil {
			return lines, err
		}
		if line.Err != nil {
			lines = append(lines, fmt.Sprintf("%d: %v", line.Number, line.Err))
			continue
		}
		lines = append(lines, fmt.Sprintf("%d: %s", line.Number, AppendLine(nil, line.Event)))
	}
}

func TestReader(t *testing.T) {
	long := `{"forget":"` + strings.Repeat("a", 3*MaxLine) + `"}`
	exact := `{"forget":"` + strings.Repeat("a", MaxLine-13) + `"}`
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"one without line end", `{"tick":true}`, []string{`1: {"tick":true}`}},
		{"blank lines are counted", "\n{\"tick\":true}\n \t\r\n{\"link\":\"up\"}\n\n", []string{`2: {"tick":true}`, `4: {"link":"up"}`}},
		{"CR LF", "{\"tick\":true}\r\n{\"link\":\"up\"}\r\n", []string{`1: {"tick":true}`, `2: {"link":"up"}`}},
		{"byte order mark", "\ufeff{\"tick\":true}\n", []string{`1: {"tick":true}`}},
		{"goes on after bad lines", "garbage\n{\"tick\":true}\n{\"tick\"\n{\"link\":\"up\"}", []string{
			"1: column 1: expected an object, found 'g'", `2: {"tick":true}`,
			`3: column 8: expected a colon after key "tick", the line ends`, `4: {"link":"up"}`}},
		{"goes on after a long line", "{\"tick\":true}\n" + long + "\n{\"link\":\"up\"}\n", []string{`1: {"tick":true}`, "2: " + ErrTooLong.Error(), `3: {"link":"up"}`}},
		{"long last line", long, []string{"1: " + ErrTooLong.Error()}},
		{"longest line with CR LF", exact + "\r\n{\"tick\":true}\n", []string{"1: " + exact, `2: {"tick":true}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				got, end := read(t, in)
				if end != io.EOF {
					t.Errorf("ends with %v", end)
				}
				if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
					t.Errorf("got  %.200q\nwant %.200q", got, c.want)
				}
			}
		})
	}
}

func TestReaderReturnsTheStreamsError(t *testing.T) {
	broken := errors.New("cable pulled")
	in := io.MultiReader(strings.NewReader("{\"tick\":true}\n{\"tick\":tr"), iotest.ErrReader(broken))
	got, end := read(t, in)
	if !errors.Is(end, broken) {
		t.Errorf("ends with %v, want %v", end, broken)
	}
	if len(got) != 1 {
		t.Errorf("got %q: the line that was cut off is no line", got)
	}
}

func TestSteps(t *testing.T) {
	// Each letter is a line at the instant of its number: s a signal, a an ask,
	// i an identify, o an outcome, f a forget, l a lease, p a policy, t a tick.
	bodies := map[byte]Body{'s': &Signal{}, 'a': &Ask{}, 'i': &Identify{}, 'o': &Outcome{}, 'f': &Forget{}, 'l': &Lease{}, 'p': &Policy{}, 't': &Tick{}}
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"s1", "s1"},
		{"s1 s1 s1", "s1,s1,s1"},
		{"s1 s2 s2", "s1 | s2,s2"},
		{"s1 a1", "s1 | a1"},
		{"a1 s1", "a1 | s1"},
		{"s1 s1 a1 s1 s1 s2", "s1,s1 | a1 | s1,s1 | s2"},
		{"a1 a1", "a1 | a1"},
		{"i1 a1 o1 f1 l1 p1 t1", "i1 | a1 | o1 | f1 | l1 | p1 | t1"},
		{"t1 s1 a2", "t1,s1 | a2"},
	} {
		var events []Event
		names := map[Event]string{}
		for k, word := range strings.Fields(c.in) {
			e := Event{Body: bodies[word[0]], ID: fmt.Sprint(k)}
			fmt.Sscan(word[1:], &e.At)
			events = append(events, e)
			names[e] = word
		}
		var steps []string
		for _, step := range Steps(events) {
			var words []string
			for _, e := range step {
				words = append(words, names[e])
			}
			steps = append(steps, strings.Join(words, ","))
		}
		if got := strings.Join(steps, " | "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}
