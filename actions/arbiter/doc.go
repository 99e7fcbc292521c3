// Package arbiter chooses one of what is left, in money: value x propensity x
// levers x weights, less the cost of bothering, against silence, which is worth nothing and
// costs nothing. It says why each other lost.
//
// Sums are whole micro-units, products are rounded toward zero once, at the end,
// and ties break by a stated rule, so that every chip chooses alike. There is no
// typed-in priority: a number that no one can check against an outcome would
// outbid those that one can. Propensities are the policy's priors until learned.
//
// Callers owe candidates that have passed every stage before value.
package arbiter
