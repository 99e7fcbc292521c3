// Package reach reasons over a compiled policy without running it: which conditions
// can never be true, which are always true, which actions can never be shown, which
// limits can never bite, which states leave a range open.
//
// It reasons with three values, over intervals of numbers, lengths, money, dates and
// instants, over sets of words, and over the order of two values. Every operation of the
// program has a rule that says what its result can be, given what its arguments can be,
// and back. A claim is made only where these rules leave nothing over; what they do not
// know (another operation, a text put together, a moving length) can be anything.
//
// It guarantees soundness, not completeness: what is called impossible is never true in
// any run, whatever the inputs, their order and the passing of time; no finding proves
// nothing. Work is bounded for each question, and where the bound is met the question
// stays open. The same bundle gives the same findings in the same order.
//
// Callers owe a bundle whose program rule.Check accepts.
package reach
