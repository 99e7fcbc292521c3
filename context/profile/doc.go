// Package profile is the profile slice: facts, consents, interactions and the
// contact history of one customer, and what follows from them at an instant:
// is a fact still fresh, and how far can it be relied on, was a thing bought, is a complaint open.
//
// It guarantees that a slice is a function of the set of events folded into it
// (newest `happened` wins, ties by a stated order; what was inferred or told by others
// holds only where nothing fresh was declared or observed), that merging slices in any order
// gives the same facts and contacts, and that every answer comes
// with the next instant at which time alone changes it. Prune folds contacts away that the policy
// cannot count any more, and changes no answer by it: how often each was shown stays. It needs the
// catalog for what kinds of interactions mean.
//
// Callers owe one owner: a Slice is not safe for concurrent use.
package profile
