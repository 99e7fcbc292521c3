package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// examples are the parts of the help that are policy: indented by two, and beginning with a key.
func examples(t testing.TB) []string {
	t.Helper()
	var list []string
	var block []string
	flush := func() {
		if text := strings.TrimSpace(strings.Join(block, "\n")); text != "" {
			if first, _, _ := strings.Cut(text, "\n"); strings.Contains(first, ":") {
				list = append(list, text+"\n")
			}
		}
		block = nil
	}
	for line := range strings.SplitSeq(Grammar(), "\n") {
		inner, indented := strings.CutPrefix(line, "  ")
		switch {
		case line == "":
			block = append(block, "")
		case !indented:
			flush()
		case !strings.HasPrefix(inner, " ") && len(block) > 0 && strings.HasSuffix(strings.TrimSpace(strings.Split(inner, "#")[0]), ":"):
			flush()
			block = append(block, inner)
		default:
			block = append(block, inner)
		}
	}
	flush()
	if len(list) < 15 {
		t.Fatalf("%d examples in the help", len(list))
	}
	return list
}

// guide writes the policy of the help into a folder, each example into a file of its own.
func guide(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "guide")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for k, text := range examples(t) {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.yaml", k)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	area := `{"type":"Feature","properties":{"iso_a2":"NL"},"geometry":{"type":"Polygon","coordinates":[[[3.3,50.7],[7.2,50.7],[7.2,53.6],[3.3,53.6],[3.3,50.7]]]}}`
	if err := os.WriteFile(filepath.Join(dir, "borders.geojson"), []byte(area), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The examples of the help are one policy, and a good one.
func TestGrammarCompiles(t *testing.T) {
	b, findings, err := Compile(guide(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Code != "not_supported" || f.Severity == Error { // worth, which the help says
			t.Error(f, f.Hint)
		}
	}
	if b == nil {
		t.Fatal("no bundle")
	}
}

// The help gives an example of every key that a policy may hold, at its place.
func TestGrammarIsWhole(t *testing.T) {
	found := map[string]map[string]bool{} // by the path of the map, with * for names that authors choose
	for _, text := range examples(t) {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		collect(doc.Content[0], "", found)
	}
	for path, keys := range map[string][]string{
		"": slices.Concat(plainKeys, settings, namedSections), "purposes.*": purposeKeys, "partners.*": partnerKeys, "signals.*": signalKeys, "derived.*": derivedKeys,
		"states.*": stateKeys, "places.*": placeKeys, "places.*.circle": circleKeys, "facts.*": factKeys, "interactions.*": kindKeys, "interactions.*.blocks": blocksKeys,
		"subjects.*": subjectKeys, "measures.*": measureKeys, "slots.*": slotKeys, "groups.*": groupKeys, "groups.*.weights": weightKeys, "visit": visitKeys, "session": sessionKeys,
		"quiet": quietKeys, "strikes": strikesKeys, "contact": contactKeys, "contact.limits": limitKeys, "contact.pauses": pauseKeys, "contact.minimum_wait": waitKeys,
		"contact.volume": volumeKeys, "contact.profile": profileKeys, "contact.pressure": pressureKeys, "actions.*": actionKeys, "actions.*.weights": weightKeys,
		"actions.*.valid": validKeys, "actions.*.completes": completesKeys, "actions.*.exempt.caps": exemptKeys, "actions.*.hands_over": handOverKeys, "actions.*.say": treatmentKeys,
	} {
		for _, key := range keys {
			told := strings.Contains(Grammar(), "or "+key+": ") || key == "image" // said in a comment, or not there yet
			if !found[path][key] && !told {
				t.Errorf("the help has no example of %s in %q", key, path)
			}
		}
	}
}

func collect(n *yaml.Node, path string, found map[string]map[string]bool) {
	switch n.Kind {
	case yaml.SequenceNode:
		for _, x := range n.Content {
			collect(x, path, found)
		}
	case yaml.MappingNode:
		for k := 0; k+1 < len(n.Content); k += 2 {
			key := n.Content[k].Value
			if found[path] == nil {
				found[path] = map[string]bool{}
			}
			found[path][key] = true
			if slices.Contains(namedSections, path) {
				key = "*"
			}
			collect(n.Content[k+1], strings.TrimPrefix(path+"."+key, "."), found)
		}
	}
}

// Every example of a condition compiles in the policy of the help, and every function has one.
func TestConditionsCompile(t *testing.T) {
	dir := guide(t)
	extra := "interactions:\n"
	for _, kind := range []string{"question", "answer", "contact", "view"} {
		extra += "  " + kind + ": {keep: 1y, purposes: [service]}\n"
	}
	extra += "derived:\n"
	var lines []string
	for line := range strings.SplitSeq(Conditions(), "\n") {
		inner, ok := strings.CutPrefix(line, "  ")
		if !ok {
			continue
		}
		text, _, _ := strings.Cut(inner, "  #")
		lines = append(lines, text)
		extra += fmt.Sprintf("  x%d: {is: %q}\n", len(lines), text)
	}
	if err := os.WriteFile(filepath.Join(dir, "extra.yaml"), []byte(extra), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := Compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Severity == Error {
			t.Error(f)
		}
	}
	if b == nil {
		t.FailNow()
	}
	all := strings.Join(lines, "\n")
	for _, name := range functionNames {
		if !strings.Contains(all, name+"(") {
			t.Errorf("no example of %s(...)", name)
		}
	}
	for _, name := range slices.Concat(ownMembers, []string{"exists", "all", "exists_one", "filter", "map"}) {
		if !strings.Contains(all, "."+name+"(") {
			t.Errorf("no example of .%s(...)", name)
		}
	}
	for _, sign := range operators {
		if sign != "?:" && !strings.Contains(all, sign) {
			t.Errorf("no example of %s", sign)
		}
	}
}
