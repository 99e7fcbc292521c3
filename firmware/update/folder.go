package update

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Folder is a folder on a real disk as Files. It is made where it does not exist.
type Folder string

var _ Files = Folder("")

// Read implements Files.
func (f Folder) Read(name string, limit int) ([]byte, error) {
	file, err := os.Open(filepath.Join(string(f), name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var data bytes.Buffer
	if info, err := file.Stat(); err == nil {
		data.Grow(int(min(info.Size(), int64(limit))) + bytes.MinRead) // the whole file at once
	}
	if _, err := data.ReadFrom(io.LimitReader(file, int64(limit)+1)); err != nil {
		return nil, err
	}
	if data.Len() > limit {
		return nil, fmt.Errorf("read %s: %w: more than %d bytes", file.Name(), ErrBroken, limit)
	}
	return data.Bytes(), nil
}

// Replace implements Files: temporary file, fsync, rename, fsync of the folder.
func (f Folder) Replace(name string, data []byte) (err error) {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return err
	}
	// One name for the temporary file, so that power cuts leave at most one.
	temporary := filepath.Join(string(f), name+".new")
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary) // the first error counts
		}
	}()
	if _, err := file.Write(data); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(string(f), name)); err != nil {
		return err
	}
	return syncFolder(string(f))
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
