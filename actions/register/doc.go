// Package register is the record of processing that a policy makes by itself (GDPR
// art. 30): which data, why, on what basis, from where, for how long, who receives it,
// which actions use it, whether it leaves the device; and what deserves a second look:
// exemptions, mandatory actions, sensitive subjects, states that a missing sensor lifts.
//
// It guarantees that the register is a function of the bundle and the language alone:
// every run, from the folder or the built bundle, gives the same bytes. Everything that
// a bundle declares stands in it once, in order of name within its kind.
//
// Callers owe a bundle that catalog.Check accepts.
package register
