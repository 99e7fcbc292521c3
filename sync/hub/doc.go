// Package hub is the fleet's mind: what the hub does with each thing that
// reaches it, as a function of that thing and of what the ledger holds.
//
// Everything that the hub knows is in the ledger. The Mind keeps only what it
// can read there again (decoded bundles), so that several hubs may share one
// ledger, and a killed one goes on where it was. Step reads through View, and
// returns what to write, what to publish and what to answer; Round passes many
// inputs through Step in one transaction and ends with what all of them
// together call for: slices for the devices that hold somebody who changed, and
// one acknowledgement per device.
//
// # What it guarantees
//
//   - Nothing is published, acknowledged or answered by Round's caller before the
//     commit; an acknowledgement names committed records only.
//   - A record counts once per (device, epoch, sequence number). Another record
//     under the same number is reported and the device told to begin a new epoch, and
//     so is a device whose next number is one of a record that is here: its store was
//     restored from a copy. Nothing that it then hears is ahead of it.
//   - A record that its device took along out of an epoch counts once, whichever way
//     and however often it comes (moved.go). Two decisions that two lives of a device
//     gave one number both count; an outcome of that number is one of both.
//   - A customer is a set of ids. What is known is kept under the id that it was
//     told for, so that a split gives each id back its own. A merge keeps the
//     first id's name; until something newer is said the stricter word holds.
//   - A device gets the slice that its own bundle can use and no more: declared
//     facts within their retention that at least one of their purposes permits,
//     declared kinds within theirs, declared purposes.
//   - After a forget nothing of the customer is kept but a keyed hash of each id,
//     which refuses whatever comes later, until the customer acts again by card
//     or login. Decisions and outcomes stay, under handles that lead to nobody.
//     Facts of a vehicle, household or site are its own and stay.
//   - A forget is an erasure with an id that is a function of whom and when. Every handle
//     is waited for until its device says that the key is gone, or its lease is over; so
//     is one that is told only later, by a device that was away. A device whose store was
//     restored from before a forget is told again. What leads to nobody tells what became
//     of it: ids are keyed hashes.
//   - One bad message, line or record spoils no other; each is refused with a
//     reason, or kept as it is where its device would send it for ever.
//
// # Where the contract is silent
//
//   - May answers "does anything that is known speak against it": somebody of
//     whom nothing is known may be approached, an erased one may not, and neither
//     answer says who. Without a purpose in the question an unknown consent is the
//     asking tool's business, a refusal given here is not; with one it is judged
//     in full. `until` is given only where time alone lifts the reason.
//   - `at` in a source's line that lies ahead of the hub's clock counts as now:
//     a source with a wrong clock must not win over every later word.
//   - Events of a device are told apart from those of other devices and sources:
//     their source is DEVICE or DEVICE/SOURCE.
//   - A handle that the hub does not know is not answered: the device tells it
//     again, sealed, with its slice request or in its log.
//   - Before a bundle is published, lines are taken unchecked; from then on a
//     fact, kind or purpose that no bundle in charge declares is refused.
//
// # What callers owe
//
// One goroutine per Mind; inputs in the order in which they came; instants that
// do not decrease; signing of what is published below dn/.
package hub
