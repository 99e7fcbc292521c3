package policy

import (
	"path/filepath"
	"testing"
)

// The example policies are good: no error and no false alarm.
func TestExamplesCompile(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/policies/*/policy.yaml")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("find example policies: %v, %d found", err, len(dirs))
	}
	for _, dir := range dirs {
		b, findings, err := Compile(filepath.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			t.Error(f)
		}
		if b == nil {
			t.Errorf("%s: no bundle", dir)
		}
	}
}
