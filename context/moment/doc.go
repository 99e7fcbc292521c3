// Package moment is what holds now: it folds signals, places, the slice and the
// calendar into the inputs of the compiled conditions, and knows for each session
// which conditions are true, false or unknown, why, and when that changes by itself.
//
// It guarantees that a reading older than the present one never replaces it, that
// an input without a value is unknown with its cause, that nothing is read without
// the consent that its signal asks for, and that a signal that flips nothing
// allocates nothing.
//
// A step costs what it touches, however many sessions are open: it begins those in
// which something happens or happened in the step before, those for which time has
// come to something, and those that follow what the device changed. A session keeps
// its own signals and inputs alone, from the first word of any on.
//
// A step is: Begin, then any number of Signal, Grant, Profile, Open and Close, then
// Settle; after it the questions. Callers owe instants that never decrease, and a
// Begin and Settle at every instant that Next names, so that each change by time
// alone is seen at its own instant. A State is not safe for concurrent use, and
// treats the bundle and the slices as read-only.
//
// In a recording without a boot line everything begins complete and empty: nothing
// happened before its first line. After Boot, windows and latches are unknown until
// they are filled again.
package moment
