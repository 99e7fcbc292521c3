// Package rule is the compiled program of a policy's conditions and its
// incremental, three-valued evaluation.
//
// A Program is one graph for the whole bundle: equal predicates of all actions
// are one node, arguments stand before the nodes that read them, and nodes that
// read only the device stand before nodes that read a session. An Eval keeps the
// result of every node for one scope; when an input changes, only the nodes above
// it are computed again, in order, and only as far as results really change.
//
// Functions that look over time (held, count, became, ...) are nodes of the same
// graph, with their state in the Eval: a lifted function reads a predicate that
// other conditions may share, so a graph of its own would evaluate it twice.
// What needs the slice, the calendar or a map (facts, history, places, hours) is
// an input, which package moment computes.
//
// exists, all and their like are one node with a body: a small flat program over the
// element and over captured nodes, evaluated on a stack that is made once, with
// bounded work. What moves by itself with time (held, since, until, now) may be added,
// subtracted, compared and read in its slow parts: these have an exact next instant.
//
// A result carries the instant since when it holds, which is that of the reading
// that made it, or the exact instant at which time did. Windows are bounded
// (MaxEntries), and what is missing from one, by that bound or by a restart, makes
// its functions unknown until it would have left the window by itself; a count
// stays known from below, so that "at least 3" can be true already. Without
// Restart, windows begin complete and empty. A true that nothing certain came
// before counts as having become true, but Became and Armed ask for a certain
// false before it. A latch is unknown where what would turn it is: one that is off
// where its `when` is unknown, one that is on where its `until` is, and it stays so
// until one of them was certainly true.
//
// It guarantees that an unknown or an error is never true, that the outcome is
// that of evaluating everything anew, and that a decoded program cannot make the
// evaluation loop, index out of range or recurse. Callers owe instants that never
// decrease.
package rule
