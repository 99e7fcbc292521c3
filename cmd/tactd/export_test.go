package main

import (
	"context"
	"fmt"
	"os"
)

// RunCrashing is `tactd run` of an agent that calls crash at its labelled points, and its exit code.
func RunCrashing(ctx context.Context, crash func(point string), args ...string) int {
	c, err := parse(append([]string{"run"}, args...), os.Environ(), os.Stdout, os.Stderr)
	if err == nil {
		c.crash = crash
		err = run(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tactd:", err)
	}
	return codeOf(err)
}
