package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/rule"
)

// Every condition is found where its author wrote it, in whichever file.
func TestCompileWritten(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": `policy: p
version: 1
currency: EUR
languages: [en]
zone: UTC
session: {ends: "!here"}
signals:
  here: {type: bool}
  heat: {type: double}
derived:
  hot: {is: "heat > 30.0"}
states:
  busy: {when: "heat > 90.0"}
slots: {s: {channel: kiosk}}
`,
		"b.yaml": `groups:
  all: {suitable: "heat < 80.0"}
actions:
  ice:
    intent: information
    group: all
    applicable: "hot"
    weights:
      - {when: "heat > 40.0", lever: 20 %}
      - {when: "heat > 50.0", lever: 30 %}
    say: {en: "Ice?"}
  tea: {intent: information, eligible: "here", say: {en: "Tea?"}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, written, findings, err := CompileWritten(dir)
	if err != nil || b == nil {
		t.Fatalf("%v %v", findings, err)
	}
	var said []string
	for _, w := range written {
		said = append(said, fmt.Sprintf("%s %s %s %s:%d:%d %s", w.Section, w.Name, w.Key, filepath.Base(w.File), w.Line, w.Column, b.Program.Nodes[w.Node].Text))
	}
	want := []string{
		"actions ice applicable b.yaml:7:5 heat > 30",
		"actions ice weights b.yaml:9:9 heat > 40",
		"actions ice weights b.yaml:10:9 heat > 50",
		"actions tea eligible b.yaml:12:30 here",
		"groups all suitable b.yaml:2:9 heat < 80",
		"states busy when a.yaml:13:10 heat > 90",
		"derived hot is a.yaml:11:9 heat > 30",
		"session  ends a.yaml:6:11 !here",
	}
	if got := strings.Join(said, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("conditions stand at\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for _, w := range written {
		if w.Node == rule.None {
			t.Errorf("%s has no condition", w.Name)
		}
	}
	if _, written, findings, err := CompileWritten(filepath.Join(dir, "nowhere")); err == nil || written != nil || findings != nil {
		t.Errorf("a folder that is not there: %v %v %v", written, findings, err)
	}
}
