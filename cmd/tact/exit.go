package main

import (
	"context"
	"errors"
	"io/fs"
)

// Exit codes, those of the contract; from 69 on they are those of sysexits.h.
const (
	exitDone          = 0
	exitFailed        = 1
	exitUsage         = 2
	exitUnreachable   = 69
	exitIO            = 74
	exitBusy          = 75
	exitPermission    = 77
	exitConfiguration = 78
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// usage marks a mistake in what was typed.
func usage(err error) error { return withCode(exitUsage, err) }

// unreachable marks a peer (hub, broker, device) that does not answer.
func unreachable(err error) error { return withCode(exitUnreachable, err) }

// busy marks what another process holds; trying again helps.
func busy(err error) error { return withCode(exitBusy, err) }

// configuration marks a mistake in a file or variable that configures.
func configuration(err error) error { return withCode(exitConfiguration, err) }

// errFindings ends a verb that has printed its findings: exit 1, nothing more to say.
var errFindings = errors.New("there are findings")

// codeOf returns the exit code of an error: its own where it has one, else what
// the os package found, else 1.
func codeOf(err error) int {
	if err == nil {
		return exitDone
	}
	var e *exitError
	var file *fs.PathError
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, fs.ErrPermission):
		return exitPermission
	case errors.As(err, &file):
		return exitIO
	}
	return exitFailed
}

// stopped says whether the user interrupted the program.
func stopped(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && ctx.Err() != nil
}
