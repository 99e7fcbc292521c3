package houserules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/policy"
)

// TestReadmePolicy compiles the policy that the README shows: what a newcomer copies must work.
func TestReadmePolicy(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	shown, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatal("the README shows no policy")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(shown), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("the README's policy does not compile: %v", err)
	}
	for _, f := range findings {
		t.Errorf("the README's policy: %+v", f)
	}
}
