package policy

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed starter
var starter embed.FS

var notNamed = regexp.MustCompile(`[^a-z0-9_-]+`)

// Start writes a small policy with scenarios and a recording into a folder that does not exist
// yet or is empty, named after the folder. It returns the files written.
func Start(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("start policy: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("start policy: %s is not empty: %w", dir, fs.ErrExist)
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("start policy: %w", err)
	}
	name := strings.Trim(notNamed.ReplaceAllString(strings.ToLower(filepath.Base(full)), "-"), "-_0123456789")
	if name == "" {
		name = "first"
	}
	var written []string
	err = fs.WalkDir(starter, "starter", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(path, "starter")))
		if e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		text, err := starter.ReadFile(path)
		if err != nil {
			return err
		}
		text = []byte(strings.Replace(string(text), "policy: NAME", "policy: "+name, 1))
		written = append(written, to)
		return os.WriteFile(to, text, 0o644)
	})
	if err != nil {
		return nil, fmt.Errorf("start policy: %w", err)
	}
	return written, nil
}
