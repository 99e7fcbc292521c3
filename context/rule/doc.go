// Package rule is the compiled program of a policy's conditions and its
// incremental, three-valued evaluation.
//
// A Program is one graph for the whole bundle: equal predicates of all actions
// are one node, arguments stand before the nodes that read them, and nodes that
// read only the device stand before nodes that read a session. NewPlan compiles it:
// comparisons with constants go into an index, logic over them into counters, and
// what computes or remembers is a stored node, evaluated when an argument changes.
// An Eval keeps all that for one scope; when an input changes, only what rests on
// what really turned is looked at again. Reference is the same program with every
// node stored, the plain evaluation that all the rest is held to.
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
// # What an evaluation costs
//
// An input that takes the state that it has costs nothing. Else its change costs,
// counted in steps (Work):
//
//   - Each source that reads it is placed: one step. A source is what is compared
//     with constants: an input, a stored node, or a formula. Its thresholds are
//     sorted, x < 5, x >= 5 and !(x < 5) being one, and of a whole number x <= 4
//     too; the new place is walked to from the present one. A change that crosses
//     no threshold ends here, whatever the number of conditions.
//   - A formula (x - y + z, x < now - 1h, held(c)) is worked out first, a step a
//     term; of a pair of inputs (x < y, x - y, x + 2.0 * y) one step is enough, in
//     a loop over all pairs of the input. So a formula costs at each change of each
//     of its inputs, whether or not anything turns, and a comparison with a
//     constant does not.
//   - Each threshold that is crossed: one step, and one for each edge to a counter.
//     A counter is And over comparisons (Or is an And of the opposites) and knows
//     how many are false and how many unknown; thresholds side by side have their
//     edges side by side, so that to cross many is one loop. Equalities and lists
//     of constants are found by hash: those of the old value and of the new one
//     turn, and no other.
//   - A counter that turns walks its own edges, and tells candidates and watched
//     conditions, once in a Settle however many of its arguments turned.
//   - Each stored node that reads what changed is evaluated: one step, more where
//     it looks through something: logic its arguments, a list its elements by the
//     nodes of the body (Elements where nobody knows how many). What reads it
//     follows where its outcome is another.
//   - Readings enter windows one by one; a window keeps what is within its time, up
//     to MaxEntries of 16 bytes.
//
// Time costs the same: what moves by itself has one entry in a heap, which is the
// next threshold that it crosses, or the oldest entry that leaves a window. Until
// then nothing looks at it.
//
// Of the device everything is worked out once. A pair of one input of the device's and
// one of a session's is looked at when the device's changes, in all sessions by one
// loop over rows that stand close together. A session in which it crossed a threshold is
// told, and one that is told of nothing need not Settle. For the rest a session walks the edges from what
// turned in the device to its own counters, and nothing where none turned; a candidate is eligible where its part of the device and its own are, which is
// looked up in words of 64. A session keeps its inputs (28 bytes), a mark and a value
// for each stored node (24), two bytes a counter, a byte and a bit a candidate, and a
// place a source (6); the program is shared.
//
// Where half of a session's inputs become known or unknown at once, since somebody is
// identified or forgotten, nearly all of it turns. Then nothing walks edges: each pair
// of inputs is looked at once, each source notes how its keys turned, and each counter
// and each part of a candidate adds up what it is over, whatever turned. At 1,000
// actions that is less than half of what the steps above would take (see gathers).
//
// Plan.Cost says all this of one plan by input, Plan.Condition of one condition, and
// both without running it. Usual is the mean over all changes from one interval
// between neighbouring thresholds into another, which crosses (n+2)/3 of n thresholds;
// it leaves out what turns above. Most bounds every change, from unknown to a value
// with all that rests on it. Steps are the same on every machine. On one core of an
// Intel Xeon server, conditions of 3 to 8 comparisons over 30 doubles took 5 to 9
// nanoseconds a step, for 100 as for 10,000 conditions.
//
// # What pays, and what did not
//
// Measured on the workload of testdata/peers, each against the step before:
//
//   - Sums and orders of inputs were stored nodes at first, with a value and a mark
//     each; worked out from their terms instead, an update of 1,000 actions took
//     half the time. A loop over all pairs of an input, which only says which of
//     them crossed a key, took another fifth.
//   - Counts that fit a byte: four bits of false arguments, four of unknown ones,
//     longer conjunctions in groups of 15. A turn adds one number, whatever the rest
//     is. Of candidates only whether nothing is missing matters, so their parts are
//     counted apart, and their turns are looked at once, after the walk.
//   - Counters over comparisons alone turn in any order; only those over counters
//     wait in a queue of bits, by number, so that each turns once.
//   - The eligible set is in order of score, so that the best is its first bit. The
//     device's part of a candidate is kept once for all sessions.
//   - Mixed pairs in one loop over all sessions, instead of one over the pairs of each:
//     a fifth less for a signal of the device's with 200 sessions.
//   - Edges to candidates in fours, with edges of no effect in between, so that loops
//     always go round as often: a quarter slower.
//   - To identify somebody took 18 microseconds by walking edges, all sources at once
//     being known: 11 now. Noting turns by id, for the counters to add up,
//     took a seventh off; pairs with one key, each looked at once without a branch, a
//     fifth; adding up lists of one length in one loop each, a seventh; placing the times
//     for which something is true after all else, together, a tenth; finding a key
//     without a branch and noting turns four at a time, a twelfth. A usual state to start
//     from, with every source at its middle key, was not built: pairs, which are three
//     quarters of all sources, have one key and no middle.
//   - A turn packed into 16 bits and shifted, and denser sessions, made no difference
//     that could be measured. Nor would an interval of the device's value for each
//     session, within which nothing crosses: where values jump, two thirds of the
//     looks find a crossing.
//   - Masks for popular comparisons were not built: walking edges is an eighth of an
//     update.
//
// # What it guarantees
//
// It guarantees that an unknown or an error is never true, that the outcome is
// that of evaluating everything anew, and that a decoded program cannot make the
// evaluation loop, index out of range or recurse. Callers owe instants that never
// decrease, and Close for each session that ends.
package rule
