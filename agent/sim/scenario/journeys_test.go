package scenario

import (
	"os"
	"path/filepath"
	"testing"
)

// Every journey holds on the real engine.
func TestJourneys(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/journeys/*.txt")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d journeys: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			journey(t, name)
		})
	}
}

// journey plays all scenarios of a file.
func journey(t *testing.T, name string) {
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, mistakes := Parse(name, content)
	for _, m := range mistakes {
		t.Error(m)
	}
	if len(mistakes) > 0 {
		return
	}
	var policies Policies
	for _, s := range f.Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			r := Run(f, s, &policies)
			if r.Checks == 0 {
				t.Error("it looks at nothing")
			}
			for _, x := range r.Failures {
				t.Errorf("%s:%d: expected %s\nhappened: %s\n%s", name, x.Line, x.Expected, x.Happened, x.Why)
			}
		})
	}
}
