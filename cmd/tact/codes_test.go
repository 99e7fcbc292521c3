package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

// The list is that of the catalog, whole and in its order.
func TestEveryCodeHasAMeaning(t *testing.T) {
	all := catalog.Reasons()
	if len(all) != len(meanings) {
		t.Fatalf("%d reasons, %d meanings", len(all), len(meanings))
	}
	for k, r := range all {
		m := meanings[k]
		if m.reason != r || m.meaning == "" || m.stage == "" {
			t.Errorf("%d: %s with meaning %q at %s, expected %s", k, m.reason, m.meaning, m.stage, r)
		}
	}
}

// A code is said to be given by this version exactly where a rule gives it.
func TestReachedIsTrue(t *testing.T) {
	given := map[string]bool{}
	word := regexp.MustCompile(`catalog\.([A-Z]\w+)`)
	for _, room := range []string{"actions/guard", "actions/contact", "actions/arbiter", "agent/engine", "context/moment"} {
		files, err := filepath.Glob(filepath.Join("..", "..", room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", room, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range word.FindAllStringSubmatch(string(text), -1) {
				given[m[1]] = true
			}
		}
	}
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`catalog\.(\w+), ".*", (true|false)\}`)
	found := 0
	for _, m := range line.FindAllStringSubmatch(string(source), -1) {
		found++
		if later := m[2] == "true"; later == given[m[1]] {
			t.Errorf("%s: later is %v, and yet a rule that gives it: %v", m[1], later, given[m[1]])
		}
	}
	if found != len(meanings) {
		t.Errorf("%d lines were read of %d", found, len(meanings))
	}
}

// So with what tact check finds: a code is given where the compiler names it.
func TestCheckCodesAreTrue(t *testing.T) {
	var compiler strings.Builder
	files, err := filepath.Glob(filepath.Join("..", "..", "actions", "policy", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no compiler: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			compiler.Write(text)
		}
	}
	for _, c := range others {
		if c.Stage == stageCheck && c.Reached != strings.Contains(compiler.String(), `"`+c.Code+`"`) {
			t.Errorf("%s: reached is %v, the compiler says otherwise", c.Code, c.Reached)
		}
	}
}
