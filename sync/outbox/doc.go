// Package outbox is the durable queue between deciding and the hub: the log of
// record. What is appended stays until the hub has acknowledged it and the
// mind's snapshot has taken it in.
//
// # What it guarantees
//
//   - Append returns after one durable transaction, or nothing was written
//     (ErrFull), or it is not known (ErrBroken: open again; Status says so as well).
//   - Sequence numbers count from 1 without gaps within an epoch and are never
//     given twice, also when the queue is empty and after any crash of a disk
//     that keeps its word.
//   - A record leaves only when it is acknowledged and not above the applied
//     mark. An acknowledgement costs no write: drops ride in the next append, or
//     in Drop when idle. After a crash, records that were acknowledged but not
//     yet dropped are sent again; the hub knows them by number.
//   - A record that cannot be sent never blocks the others: it becomes a
//     tombstone with its number, and Quarantine keeps a copy for people.
//   - The bytes held are bounded. From seven eighths on, context kinds are
//     refused and counted. Where there is still no room, stored ones go: reports
//     first, then the other context kinds, the oldest first, each leaving a
//     tombstone (evicted_disk) under its number, and only if that is smaller; what
//     was given out for sending stays. Decisions, outcomes, what customers told,
//     erasures and moved records never go: when they alone fill it, Append is
//     ErrFull and changes nothing. A disk that is full itself is first relieved of
//     what may go, in a commit of its own.
//   - Who appends at the same time shares a commit (at most 256 records): nobody
//     waits for company, only for the commit that runs.
//   - Appending and dropping cost the same at any depth.
//   - No read of the disk is open while anything else happens: records are
//     copied out.
//
// # What callers owe
//
// The disk port (Disk) commits a Write whole or not at all, durably. The epoch is
// 63 random bits, drawn by the caller when a store is created. Applied is told
// the mark of a snapshot only after that snapshot is durable, and once after
// each opening. Drop is called when there is nothing else to do: it lets a disk
// give room back as well (Compacter). The hub takes a tombstone for a number that
// it has as saying nothing new: after a restart it is not known what was sent.
// Methods may be called from several goroutines.
package outbox
