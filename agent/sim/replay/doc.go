// Package replay plays recorded input through a mind: event lines, and what logs
// of sensors decode to, merged by their instants.
//
// It guarantees the contract's order. Sources are merged by `at`, the earlier
// source first where instants are equal; lines of one instant form one step until
// one that closes it; before a line every timer that is due fires at its own
// instant; after the last line none fires unless a tick or Options.Until says so.
// What is wrong with one line is refused with its place, and the rest goes on.
// Memory does not grow with the length of the input, but for the lines of one
// step, of which StepLines are taken at a time.
//
// The same input gives the same output, byte for byte: nothing here reads a
// clock, and clears and decisions of a step are printed in order of session and
// slot, whatever order they were made in.
//
// Callers owe sources whose instants do not decrease; a line that goes back is
// refused. Sensor logs belong before event files among the sources, so that what
// was sensed at an instant is known to an ask of the same instant.
package replay
