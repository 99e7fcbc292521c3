// Package ledger stores what the hub knows: a port, its SQLite and in-memory
// implementations, and the conformance suite that every implementation passes
// (Conform, which needs no package testing).
//
// # What it guarantees
//
//   - One writer at a time. What a transaction applied is seen by its own reads
//     at once, by others after Commit, and never after Rollback or a crash.
//   - After Commit of a SQLite ledger the transaction is on the disk (WAL,
//     synchronous=FULL).
//   - A record is kept once per (device, epoch, sequence number): of two the first.
//   - What is known of customers has tables of its own, and what is deleted there
//     is overwritten (secure_delete); the write-ahead log is cut at Scrub.
//   - A file of an older version is brought up to date at Open, in one
//     transaction; one of a newer version is refused.
//
// # What callers owe
//
// Every Tx ends with Commit or Rollback. A Tx is used by one goroutine. Rows are
// not changed after they were given or got.
package ledger
