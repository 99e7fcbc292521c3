// Package chance writes policies and event files by chance, as authors and
// devices might have written them: every key of the language, every kind of line.
//
// Policy gives the files of a policy that compiles; Write puts them into a folder.
// Events gives the lines of an event file for a compiled policy: identifications,
// consents, facts, scenes at a screen and at the wheel, answers, restarts, and some
// lines that are no good and must be refused.
//
// It guarantees that the same seed gives the same bytes, on every machine, and that
// nothing global is read or changed. A policy is right by construction in all but a
// few cases in a hundred: conditions are drawn freely, and some of them contradict
// themselves, which the compiler may find.
//
// Callers owe events a bundle that was compiled without errors.
package chance
