// Package engine is the whole mind: Step takes what happened at one instant and
// returns what to persist, what to take down, what to show and when to wake it.
//
// The way of one step: signals and events are folded into the moment and the
// slices; conditions are evaluated once; who has gone is gone; what is shown is
// judged again; asks are answered; free unasked slots are offered. A candidate
// passes the stages quiet, legal, active, eligible, applicable, suitable, guard,
// contact, value, ranked, treatment, and falls at the first that does not hold.
//
// It guarantees that the same inputs give the same outputs, byte for byte, on
// every machine: no clock, disk, network, goroutine, lock, global randomness or
// map order is inside. A decision explains itself: what fell, where, and why.
//
// Callers owe instants that never decrease, every due timer at its own instant
// before anything later (Advance does it), and the effects of an Output in its
// order, of which Persist is the commit point.
//
// Two choices that the contract leaves open. Timers that are due at one instant
// are one step, since their order cannot be seen in its outcome. An unasked
// silence is reported when its cause changes, not at every step: a sensor that
// speaks ten times a second would drown the log in repetitions of the same.
package engine
