package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

func TestFormat(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"indent", "a:\n    b:   1\n    c: {x:  2,y: 3 }\n", "a:\n  b: 1\n  c: {x: 2, y: 3}\n"},
		{"comments", "# top\na: 1 # one\n\n\n\nb: [ 1,  2 ]   # two\n", "# top\na: 1  # one\n\nb: [1, 2]  # two\n"},
		{"texts stay", "a: \"x  #  y: {z}\"\nb: it  is {so}\n", "a: \"x  #  y: {z}\"\nb: it  is {so}\n"},
		{"block of text", "a: |\n    one\n      two\nb: 2\n", "a: |\n    one\n      two\nb: 2\n"},
		{"lists", "a:\n    -   x: 1\n        y: 2\n", "a:\n  - x: 1\n    y: 2\n"},
		{"line ends", "a: 1\r\nb: 2", "a: 1\nb: 2\n"},
		{"question marks", "a: {x: Now?,y: [So?, or ? not] }\n", "a: {x: Now?, y: [So?, or ? not]}\n"},
		{"flow over lines", "a: {x: 1,\n    y: 2}\n", "a: {x: 1,\n    y: 2}\n"},
	}
	for _, c := range cases {
		got, findings := Format("a.yaml", []byte(c.in))
		if string(got) != c.want || len(findings) > 0 {
			t.Errorf("%s: Format =\n%swant\n%s%v", c.name, got, c.want, findings)
		}
		if again, _ := Format("a.yaml", got); !bytes.Equal(again, got) {
			t.Errorf("%s: formatting twice gives another text:\n%s", c.name, again)
		}
	}
}

func TestFormatRefusesWhatItCannotRead(t *testing.T) {
	in := []byte("a: [1\nb: {x}, y\n")
	if got, findings := Format("a.yaml", in); len(findings) == 0 || !bytes.Equal(got, in) {
		t.Errorf("Format = %q, %v; want the text as it was, and findings", got, findings)
	}
}

// Formatting a good policy changes no byte of its bundle.
func TestFormatKeepsTheBundle(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/policies/*/policy.yaml")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		styled, findings := Format(name, text)
		if len(findings) > 0 {
			t.Errorf("%s: %v", name, findings)
		}
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Dir(name))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), styled, 0o600); err != nil {
			t.Fatal(err)
		}
		before, _, _ := Compile(filepath.Dir(name))
		after, findings, _ := Compile(dir)
		if before == nil || after == nil {
			t.Fatalf("%s: no bundle: %v", name, findings)
		}
		if !bytes.Equal(catalog.Encode(before), catalog.Encode(after)) {
			t.Errorf("%s: the formatted policy gives another bundle", name)
		}
	}
}
