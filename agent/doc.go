// Package agent is the body of a device: it drives the mind (agent/engine) by the
// real clock and performs what the mind wants done, in the stated order.
//
// # What it guarantees
//
//   - One goroutine owns the mind. Inputs queue in a bounded inbox: a newer
//     reading of a signal takes the place of one that waits, what people and
//     apps say is refused while there is no room (ErrBusy), and never dropped.
//   - Effects of a step happen in the order persist, destroy, clear, show, hand over,
//     want, wake. Nothing is shown that is not durable. A clear that protects somebody
//     is performed even when persisting fails. A full disk is waited out, and told.
//   - Time never decreases within a life and is never before the last one's end.
//   - What is held of customers is sealed in the log with the key of the lease,
//     opened when it is sent, and a tombstone when the key is gone.
//   - What a new policy has no purpose for leaves the state file at once, not with the
//     next snapshot. What staff are told who take over is held in memory, for an hour.
//   - A bundle counts only when it came whole, is signed by a trusted key, and is
//     newer; a refused one leaves the old one and is reported with its reason.
//   - Budgets are asked for with a slice, renewed when a third of their lease is left and after each
//     reconnect, and given back when nobody serves the customer any more, once no restart can find them
//     in the state file (Leases).
//   - An ask of somebody whose slice or budgets are on their way waits a moment for them (Config.SliceWait);
//     so does what is said after it in its sessions, in its order, and nothing else.
//   - A receipt for a forget does not leave before the key is destroyed, durably.
//     Its record carries keyed hashes of the ids, so that the log alone refuses what is
//     said later; they never travel. The hub is told by handle only: a forget of somebody
//     whom the device does not know, or has not told it of yet, must be said to the hub too.
//
// # Where it meets other rooms
//
// Deciding, syncing and hardware meet only here: records of the mind become
// records of the wire (record.go), slices of the wire become slices of the mind
// (slice.go), wants become requests (lease.go) and running sources.
//
// # What callers owe
//
// A Broker, Sources and Screens that do not block. Close, or the end of the
// context, saves a snapshot and says goodbye to the hub; a killed process goes on
// where it was as well, from the log.
package agent
