package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// openingFile says which file is being opened, and how many starts in a row
// ended while one was: "N NAME". After each that did not it is "0".
const openingFile = "opening"

// mostDied is how many starts may die while opening the same file.
const mostDied = 3

// errDied is why a file is set aside that nobody says is damaged.
var errDied = errors.New("the process died while opening it, several times in a row")

// opening counts the starts that die: what a damaged file does to the process is
// not always an error.
type opening struct {
	path string
	died int    // in a row, before this one
	file string // at which the last one died
}

// beginOpening reads what the starts before this one have left.
func beginOpening(dir string) *opening {
	o := &opening{path: filepath.Join(dir, openingFile)}
	raw, err := os.ReadFile(o.path)
	if err == nil {
		_, _ = fmt.Sscan(string(raw), &o.died, &o.file)
	}
	return o
}

// at notes the file that comes next. It says whether to set it aside first.
func (o *opening) at(name string) (aside bool) {
	died := 1
	if o.died > 0 && o.file == name {
		if o.died >= mostDied {
			aside = true
		} else {
			died += o.died
		}
	}
	o.write(fmt.Sprintf("%d %s", died, name))
	return aside
}

// through notes that this start has come through, or ended with an error.
func (o *opening) through() { o.write("0") }

// write writes in place, and does not wait for the disk: it is about processes
// that die, not about power. What cannot be noted is no reason not to start.
func (o *opening) write(line string) {
	f, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteAt(fmt.Appendf(nil, "%-31.31s\n", line), 0)
	_ = f.Close()
}
