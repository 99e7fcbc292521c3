package policy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

var rewriteWant = flag.Bool("update", false, "write the findings of the traps anew; read them before committing")

// Every trap of YAML and CEL that authors fall into gives its own finding, at
// its own place, with a hint.
func TestTraps(t *testing.T) {
	files, err := filepath.Glob("testdata/traps/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("find traps: %v, %d found", err, len(files))
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := findingsOf(t, text)
			wantFile := strings.TrimSuffix(name, ".yaml") + ".want"
			if *rewriteWant {
				if err := os.WriteFile(wantFile, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("findings:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// findingsOf compiles one file and prints what is found, as people see it.
func findingsOf(t *testing.T, text []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := Compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	errors, _ := CountFindings(findings)
	if (b == nil) != (errors > 0) {
		t.Errorf("a bundle comes with %d errors", errors)
	}
	for k := range findings {
		findings[k].File = "policy.yaml"
	}
	var out bytes.Buffer
	if err := PrintFindings(&out, findings, func(string) ([]byte, error) { return text, nil }); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What is wrong in one file hides nothing in another.
func TestBrokenFileHidesNoOther(t *testing.T) {
	good, err := os.ReadFile("../../testdata/policies/dealer/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"a.yaml": []byte("facts:\n  x: [1\n  y: }\n"), "b.yaml": bytes.Replace(good, []byte("presence\", after"), []byte("presenc\", after"), 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, findings, err := Compile(dir)
	if err != nil || b != nil {
		t.Fatalf("Compile = %v, %v", b, err)
	}
	var codes []string
	for _, f := range findings {
		codes = append(codes, filepath.Base(f.File)+" "+f.Code)
	}
	for _, want := range []string{"a.yaml yaml_syntax", "b.yaml unknown_name"} {
		if !slices.Contains(codes, want) {
			t.Errorf("findings %q lack %q", codes, want)
		}
	}
}

// Line ends and byte order marks of other systems change no finding, no place and no caret.
func TestOtherSystemsLineEnds(t *testing.T) {
	files, err := filepath.Glob("testdata/traps/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("find traps: %v, %d found", err, len(files))
	}
	more, _ := filepath.Glob("../../testdata/policies/loyalty/policy.yaml")
	for _, name := range append(files, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := findingsOf(t, text)
		for _, end := range []string{"\r\n", "\r"} {
			other := append([]byte("\ufeff"), bytes.ReplaceAll(text, []byte("\n"), []byte(end))...)
			if got := findingsOf(t, other); !bytes.Equal(got, want) {
				t.Errorf("%s with line ends %q:\n%s\nwant:\n%s", name, end, got, want)
			}
		}
	}
}

// What is no text, or no map, is said to be that: no key is said to be missing besides.
func TestNoPolicyFile(t *testing.T) {
	for text, want := range map[string]string{"\xff\xfep\x00o\x00": "not_utf8", "policy: x\nzone: \xe9\n": "not_utf8", "[]\n": "wrong_type", "shop\n": "wrong_type"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, findings, err := Compile(dir)
		if err != nil || b != nil || len(findings) != 1 || findings[0].Code != want {
			t.Errorf("%q: %v, %v, want %s alone", text, findings, err, want)
		}
	}
}

// A file that its author takes for a part of the policy is never passed over in silence.
func TestMisnamedFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("contact.yml", "contact:\n  minimum_wait: 2h\n")
	if _, _, err := Compile(dir); err == nil || !strings.Contains(err.Error(), "rename contact.yml") {
		t.Errorf("a folder with contact.yml alone: %v", err)
	}
	good, err := os.ReadFile("../../testdata/policies/dealer/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("policy.yaml", string(good))
	write("notes.txt", "not a part of it")
	b, findings, err := Compile(dir)
	if err != nil || b != nil || !slices.ContainsFunc(findings, func(f Finding) bool {
		return f.Code == "file_name" && filepath.Base(f.File) == "contact.yml" && f.Hint == "rename it to contact.yaml"
	}) {
		t.Errorf("contact.yml beside policy.yaml: %v, %v", findings, err)
	}
	if _, _, err := Compile(filepath.Join(dir, "policy.yaml")); err == nil || !strings.Contains(err.Error(), "a policy is a folder of *.yaml files; give "+dir) {
		t.Errorf("a file in place of a folder: %v", err)
	}
}

// Whatever a file holds, compiling it gives findings with a place and words, or a bundle that is whole.
func FuzzPolicy(f *testing.F) {
	files, _ := filepath.Glob("testdata/traps/*.yaml")
	more, _ := filepath.Glob("../../testdata/policies/*/policy.yaml")
	for _, name := range slices.Concat(files, more, []string{"starter/policy.yaml"}) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(strings.Join(examples(f), "")))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, findings, err := Compile(dir)
		if err != nil {
			t.Fatalf("Compile: %v", err)
		}
		if errors, _ := CountFindings(findings); (b == nil) != (errors > 0) {
			t.Fatalf("a bundle comes with %d errors", errors)
		}
		for _, x := range findings {
			if x.Line < 1 || x.Column < 1 || x.Code == "" || x.Message == "" || x.Hint == "" {
				t.Fatalf("a finding without place, words or cure: %+v", x)
			}
		}
		if b == nil {
			return
		}
		if err := catalog.Check(b); err != nil {
			t.Fatal(err)
		}
		if _, err := catalog.Decode(catalog.Encode(b)); err != nil {
			t.Fatal(err)
		}
	})
}
