// Package arbiter chooses one of what is left, in money: value x propensity x levers x weights, less
// the cost of bothering, against silence, which is worth nothing and costs nothing. It says why each
// other lost.
//
// Sums are whole micro-units, products are rounded toward zero once, at the end, and ties break by a
// stated rule, so that every chip chooses alike. There is no typed-in priority: a number that no one
// can check against an outcome would outbid those that one can. Propensities are the policy's priors
// until learned.
//
// # Kept rankings
//
// Expected and Better score and order candidates one by one. A Ranking finds the same best without
// scoring all: made once for a bundle, it knows the most that each candidate can ever score, and holds
// them in that order; a Standing knows what holds in one session. Best returns what Better would put
// first, to the last millionth and in ties, because bounds only rule out: whatever may be as good as
// the best so far is scored by Expected.
//
// The worth of a candidate is held as a level, the logarithm of its value and of the factors that
// count now, rounded up: a feature that changes adds its own level or takes it off, in whole numbers,
// so that nothing drifts. A learned propensity is a sum put through a curve that never falls; its
// level is looked up by the sum, and added. So weights and learning are one mechanism. Candidates
// stand in words of 64, as eligible sets do, and each word has a bound: the highest level when it was
// looked at last, and the most that the features that changed since may have raised any of its levels.
//
//   - Change marks the words that a feature bears on, and raises their bounds: at most one per 64
//     candidates.
//   - Best begins with the last winner. It ends at the first word whose candidates can never score as
//     much as the best so far, passes over words whose bound is too low now, and tells the others what
//     changed: one addition for each candidate that a changed feature bears on, one comparison for
//     each that rose or became eligible. Only where one of these comes up to the best is a whole word
//     compared, and only what comes up to it is scored.
//   - A session takes 4 bytes per candidate where weights bear on some, 4 more where propensities are
//     learned, and per word 24 bytes and a bit for each feature that bears on it: 4.8 KB for 1,000
//     candidates with sixteen features of sixty each, by weights or learned.
//
// So a change and a choice take what the words in reach take, not what all candidates do: with sixteen
// features each, about 1/30 of scoring 1,000 candidates by one addition per feature, and 1/300 of
// scoring them by Expected. It depends on the values. The nearer together they are, the more words are
// in reach: 1/13 for values that differ by less than twice, 1/12 where all can become worth the same.
// Where all are worth the same always, each is scored, and bounds cost up to a quarter more than that.
// The benchmarks score.bounds say it for each of these. Sixteen features that change at once take from
// 1/8 to 1/2 of scoring by additions, and 1.8 times as much where all are worth the same.
//
// Tried, and left out: comparing all candidates that a changed feature bears on, also those that it
// lowers (a level that is too high is a bound all the same); looking for the highest level of a word
// without checks of bounds (the masks that make them needless cost more: a fifth of the whole); levels
// of factors by repeated squaring, exact to the last place (five times the time to make a ranking, and
// no faster choice). Not tried: recognising candidates that are worth the same by a sum of hashes,
// which is right almost always, and that is not enough.
//
// What a learner has to bring: per action a prior and terms in whole numbers, and one curve. An
// outcome that changes them takes a new Ranking (a millisecond per 1,000 actions) and new Standings
// (20 microseconds each). An uncertainty that is no sum over features needs a bound of its own, added
// to the level; and a choice by chance, whose probabilities rest on every score, needs them all.
//
// The engine does without: of a decision it needs to know of each eligible candidate whether the manners permit it, and
// when they will, which costs far more than its score. A ranking is for who asks for the best of many, again and
// again, and for nothing of the others.
//
// # What callers owe
//
// Candidates that have passed every stage before value; of a ranking, each action once, sets of as
// many words as it has, and features by their certain truth.
package arbiter
