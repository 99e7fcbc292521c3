package catalog

import "github.com/tact-edge/tact/context/sense"

// NoAge marks a Because without age.
const NoAge sense.Duration = -1

// Because names one input that decided, for an explanation.
type Because struct {
	Name   string      // as the author wrote it, or the guard's input
	Value  sense.Value // null where there is none, or where the session may not show it
	Age    sense.Duration
	Needed string // the smallest failing atom as canonical text; empty where none
}

// MostBecause is how many a reason lists at the most.
const MostBecause = 4
