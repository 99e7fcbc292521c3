// Package peers measures the product's rule engine (context/rule) side by side with
// others, each over the same rules with the same meaning, in one run:
//
//	make peers                                      # agreement, then all figures
//	go test -short .                                # agreement without 10,000 rules
//	go test -run '^$' -bench Update .               # the figures of one benchmark
//	TACT_SEED=7 TACT_VARIANT=hot go test -bench .   # another workload, another stream
//
// It is a module of its own, so that the peers' modules stay out of the product's;
// go.mod pins their versions. make bench runs it too, and keeps the figures whose names
// begin with rule. (Run it with 3 GB free: grule needs a gigabyte and half a minute to
// load 10,000 rules.)
//
// # Workload
//
// Everything is drawn from Seed. 100, 1,000 or 10,000 actions have a distinct static
// score and a condition of 3 to 8 atoms each: a conjunction, in a quarter of them with an
// inner "or" of two or three, in a tenth with a negated inner "and". The atoms are over 60
// typed attributes (doubles, ints, strings of 8 to 16 words, bools, timestamps, lengths)
// whose popularity follows Zipf, as that of the thresholds on an attribute's grid does:
// 1,000 actions share about 1,450 distinct predicates, 100 have 300, 10,000 have 4,750. A
// tenth of the atoms is over two attributes (a < b, a - b > c, a + b*2 > c), a tenth over
// time: half of these recency (now - t < limit), half held(p) >= limit. Of the opposites of a
// predicate a fifth is written as a negation. 11 to 13 % of the actions are eligible at a
// time; TestWorkloadShape holds the published seed to all this.
//
// A stream is an endless row of updates of one attribute each, one a second; the attribute
// is drawn evenly, its value over its whole range. A known attribute becomes unknown with
// 0.03, an unknown one known with 0.17 an update, which makes 15 % unknown. Variants: hot
// draws attributes by how many atoms read them, flicker makes each update unknown with 15 %
// whatever was before.
//
// Truth has three values: an atom over an unknown attribute is unknown, and, or, not are
// Kleene's, an action is eligible where its condition is certainly true. held(p) is the time
// since p became certainly true, 0 while p is certainly false, unknown while it is unknown.
//
// # Fairness
//
// One abstract tree is the source of every engine's form. Reference, a plain recursion
// over it, judges: after every update of TestAgree each engine must have its eligible set
// and its best. The peers know neither unknown nor held; a wrapper gives them both in the
// cheapest form that was found, at no cost inside their expressions: see wrapper. All are
// compiled before, typed, with their optimizations, over variables of their fastest kind:
//
//   - expr: every program at every update, on one reused machine over a map (a struct is slower).
//   - expr+index: what a careful user would build around it: per attribute the actions that read
//     it, a heap of the instants at which time turns one, and only these evaluated.
//   - cel-go: every program, over variables that are CEL's own values already.
//   - grule: its working memory kept over updates, so that expressions which rules share are
//     evaluated once, and only what reads a changed variable again; the time is a variable too.
//   - grule+due: the same with a heap by hand, so that of what reads the time only what it turns is
//     evaluated again. It reaches into grule's syntax trees, beyond its documented use.
//   - tact: the product, through the same interface.
//
// An update is measured from the call until the eligible set stands as bits and the best is
// known. Making the updates is not measured. The engines take turns: a round is 100,000
// updates or a span of time each, whichever ends first, and goes on in the engine's own
// stream where the last round ended. Time is the processor time of the thread that runs
// them all, so that neighbours take little part, and what collects the peers' garbage beside it
// is not held against them. The time of an engine is the median of its rounds, a ratio the
// median of the ratios of each round. The 99th of a hundred is of updates timed one by one, by
// the clock on the wall, its reading included.
//
// # Figures
//
// N is 100, 1000 or 10000; x is a ratio.
//
//	rule.update.N:ns         tact: one update, eligible set and best
//	rule.update.N.peers:x    the faster of expr and grule, over tact
//	rule.update.N.indexed:x  expr+index over tact
//	rule.update.N.due:x      grule+due over tact
//	rule.update.N.cel:x      cel-go over tact
//	rule.update.N.allocs     allocations an update of tact
//	rule.growth:x            tact at 10,000 over tact at 1,000
//	rule.update.10000.p99:x  tact: the 99th of a hundred over the median
//	rule.identify.1000:ns    the 30 personal attributes of a cold session, set at once and settled
//	rule.identify:x          one full evaluation by the faster of expr and grule, over that
//	rule.session:bytes       heap of one more session at 1,000 actions; half of the attributes are personal
//	rule.sessions.S:ns       a signal of the device with 1 or 200 sessions, all their sets and bests right after it
//	rule.sessions.200.growth:x  the one over the other
package peers
