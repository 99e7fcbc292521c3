// Package sense is the vocabulary of the product: instants, durations, values,
// signals, and how far a clock may be trusted.
//
// It guarantees that equal values are equal on every chip: quantities that the
// mind compares or adds are integers (milliseconds, micro-units of money, 1e-7
// degrees), and a double is only ever stored, compared and printed here.
//
// Callers owe nothing: every value is immutable once made, and the zero Value is
// null, which means "unavailable".
package sense
