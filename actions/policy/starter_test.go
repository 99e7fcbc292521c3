package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestStartGivesAGoodPolicy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "My Shop")
	files, err := Start(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("Start = %q, %v", files, err)
	}
	b, findings, err := Compile(dir)
	if err != nil || len(findings) > 0 {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	if b.Name != "my-shop" {
		t.Errorf("the policy is named %q, want my-shop", b.Name)
	}
	text, err := os.ReadFile(filepath.Join(dir, "policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if styled, _ := Format("policy.yaml", text); !bytes.Equal(styled, text) {
		t.Errorf("the policy is not in its own style:\n%s", Changes("policy.yaml", text, styled))
	}
	if _, err := Start(dir); err == nil {
		t.Error("Start writes over what is there")
	}
}
