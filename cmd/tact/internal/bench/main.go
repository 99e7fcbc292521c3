package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is .bench/latest.json.
type report struct {
	Machine string   `json:"machine"`
	Go      string   `json:"go"`
	Commit  string   `json:"commit"`
	Time    string   `json:"time"`
	Figures []Figure `json:"figures"`
}

func main() {
	cpu, figures, err := readFigures(os.Stdin)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err = e.Encode(report{
		Machine: fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu),
		Go:      runtime.Version(),
		Commit:  commit(),
		Time:    time.Now().UTC().Format(time.RFC3339),
		Figures: figures,
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: write result: %v\n", err)
		os.Exit(1)
	}
}

// commit names what was measured, empty where there is no git.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--match=").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
