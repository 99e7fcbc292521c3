// Package hub is the fleet's mind: what the hub does with each thing that
// reaches it, as a function of that thing and of what the ledger holds.
//
// Everything that the hub knows is in the ledger. The Mind keeps only what it
// can read there again (decoded bundles), so that several hubs may share one
// ledger, and a killed one goes on where it was. Step reads through View, and
// returns what to write, what to publish and what to answer; Round passes many
// inputs through Step in one transaction and ends with what all of them
// together call for: what is new of somebody who changed for the devices that hold
// her, and one acknowledgement per device.
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
//     declared kinds within theirs, declared purposes; and of every contact that any
//     device made with the customer, what its limits, pauses, guards and pressure can
//     still count (profile.Prune, as the device prunes).
//   - What changes for a customer reaches every device that holds her in the same
//     round: as a delta to what it was told, as the whole slice where something was
//     taken back or the delta is no smaller, and not at all where it knows it: what it
//     told itself under this handle in this round, and that something has grown too old. Each change
//     of what a device was told raises the revision; a hello with the revision that is
//     here is answered Unchanged without working anything out. A device that goes on
//     with another log, or comes back behind its own past, is told everything anew.
//   - One customer is read and folded once for all devices that hold her; a round
//     reads and tells what it changes, whatever else is held.
//   - Contacts over the whole fleet stay within each limit (budget.go): what is known
//     to count, and the most that may still be made of every share that was lent and
//     has not settled, are together never more than the limit, whatever becomes of
//     links, messages, logs, restarts and identities. What may exceed it: contacts
//     that are exempt, those of devices whose bundle does not have the limit, and what two
//     customers had between them when they turned out to be one; no share is lent
//     while it does.
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
//   - A handle that the hub does not know is answered with a revision that no device
//     holds: the device tells it again, sealed, with its slice request.
//   - A contact is named (intent, group, subject, channel) by the bundle that it was
//     made under, which is looked for among those that the device runs or that are wanted
//     anywhere; where it is not here, by the bundle of whoever counts it. What a device
//     without time dated counts from its arrival, and nothing counts from the future.
//   - Shares are lent on a slice request and a budget request, in units of (limit,
//     subject): half of what remains, at least one, no less than the device still has;
//     for 15 minutes or a quarter of the shortest rolling window of the bundle. A share
//     settles when its device has said that nothing comes of it beyond a number of its
//     log (it gives it back, or asked after the lease was over by its own clock:
//     BudgetRequest.At) and the log is here up to that number; or when nothing of it
//     could count: after lease and window, a minute for clocks that differ, and the
//     longest time that something is shown. Of a calendar, what any zone in question
//     would count counts. Limits of two bundles are the same when their names are.
//     A device of which no bundle or no log is known is lent nothing. What there would be of a
//     limit, but others have now, is told as 0 units: the device asks again soon. Requests
//     are told apart by when they were made (At): one that was overtaken by a later one says
//     nothing, and is lent nothing.
//   - Where a limit counts by more subjects than one message names (512, or 32 KiB), those
//     of which another number is left than of most are named, as many others as there is
//     room for, and the rest is lent as so many of each that is not named (BudgetEach):
//     no more than is left of every one of them. Until it settles that counts against each
//     subject of the bundle under which it was lent.
//   - A device says once in each life under which handles it may hold shares: what a life
//     before it was lent under others ends with the log, if it was lent in the same epoch
//     and asked for before that.
//   - What is over goes: grants when they have settled and their lease is over, handles when
//     their lease has been over for 432 days, or as much longer as a policy in charge looks
//     back, and none of their contacts was answered, is a question, or leads to another
//     action. Then nobody knows for whom a contact was made; it stays, and is counted.
//   - An answer that is dated before its decision counts from that on.
//   - Of limits that count an answer, contacts that may yet be answered count until
//     they have an answer that ends them; an answer after that one is not foreseen.
//   - Before a device runs a bundle, its slices are made for the one that is wanted: its
//     own, else the newest of its groups (Birth.Groups), else the tenant's.
//   - Before a bundle is published, lines are taken unchecked; from then on a
//     fact, kind or purpose that no bundle in charge declares is refused.
//
// # What callers owe
//
// One goroutine per Mind; inputs in the order in which they came; instants that
// do not decrease; signing of what is published below dn/.
package hub
