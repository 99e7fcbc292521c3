// Package agent is the body of a device: it drives the mind (agent/engine) by the
// real clock and performs what the mind wants done, in the stated order.
//
// # What it guarantees
//
//   - One goroutine owns the mind. Inputs queue in a bounded inbox: a newer
//     reading of a signal takes the place of one that waits, what people and
//     apps say is refused while there is no room (ErrBusy), and never dropped.
//   - Effects of a step happen in the order persist, destroy, clear, show, hand over,
//     want, wake. Nothing is shown that is not durable, and no app is answered before what
//     it said is. A clear that protects somebody is performed even when persisting fails. A
//     full disk is waited out, and told. Steps that wait together share one transaction;
//     their effects follow it, one step's after the other's. What the mind books by itself
//     (that nobody answered what was shown within its time) is taken down at once and may be
//     written up to 30 s later, with what is written anyway: a device that fails meanwhile
//     has only failed before that time.
//   - Time counts suspend, goes on whatever the wall clock does, and never decreases within
//     a life of the mind. Its state (synced, floor, unknown) is noted with every record, and
//     batches are cut where it changes. A wall clock that nobody keeps is believed where it is
//     not before what was vouched for and at most 400 days after; beyond, and where nobody
//     ever vouched, the time is unknown and no lease with an end is used. Of a kept clock
//     and the hub's fresh word that contradict each other the one is believed that is nearer
//     to what was vouched for, and the state is floor. Up to a minute is put right on the way,
//     by going on at once or at half the pace; by more, the mind begins a new life: sessions end,
//     windows begin anew, what was stamped under an unsure clock is moved by the difference,
//     and nothing lies ahead of the truth, so that what is said next does not lose as older.
//   - An epoch is left (the hub says so, the store was put back from a copy or made on another
//     machine, log and snapshot do not fit) without a restart and without loss: what the
//     hub has not acknowledged moves into the new one in one step of the store, withheld
//     records as tombstones, sealed ones under their old numbers. Decisions are numbered from 1
//     in each epoch; those of the 16 that were left last are still answered under their ids.
//   - What is written to the disk is counted, over restarts of a day, and held against a budget:
//     beyond it snapshots come four times as rarely and moments are not kept, and the hub is told
//     once a day. A snapshot is written every 3 minutes or 4,096 records, at once where
//     something must leave the state file, and at a clean stop.
//   - What is held of customers is sealed in the log with the key of the lease,
//     opened when it is sent, and a tombstone when the key is gone.
//   - What a new policy has no purpose for leaves the state file at once, not with the
//     next snapshot. What staff are told who take over is held in memory, for an hour.
//   - A bundle counts only when it came whole, is signed by a trusted key, and is
//     newer; a refused one leaves the old one and is reported with its reason.
//   - Budgets are asked for with a slice, renewed when a third of their lease is left and after each
//     reconnect, and given back when nobody serves the customer any more, once no restart can find them
//     in the state file (Leases). Once in each life the hub is told for whom there may be any: what a life
//     that was killed had been lent goes back with its log.
//   - An ask of somebody whose slice or budgets are on their way waits a moment for them (Config.SliceWait);
//     so does what is said after it in its sessions, in its order, and nothing else.
//   - A receipt for a forget does not leave before the key is destroyed, durably.
//     Its record carries keyed hashes of the ids, so that the log alone refuses what is
//     said later; they never travel. Where the device has a hub, a forget of somebody whom it
//     does not know, or has not told the hub of, names her to the hub first, sealed, so that
//     what is known of her elsewhere goes as well; until that is delivered her id stays in the
//     log, under the device's own key.
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
