// Package ledger stores what the hub knows: a port, its implementations in SQLite,
// PostgreSQL and memory, and the conformance suite that every one of them passes
// (Conform, which needs no package testing).
//
// SQLite is one file for one hub; PostgreSQL (12 or newer) is a database that several
// hubs may share. Both run the same statements; a dialect holds what differs.
//
// # What it guarantees
//
//   - One writer at a time, over all processes. What a transaction applied is seen by
//     its own reads at once, by others after Commit, and never after Rollback or a crash.
//   - After Commit the transaction is on the disk: SQLite with WAL and
//     synchronous=FULL, PostgreSQL with synchronous_commit at least on.
//   - A record is kept once per (device, epoch, sequence number): of two the first.
//     Arrival numbers rise in order of commit.
//   - A database that cannot be reached or written is ErrUnavailable; the next
//     transaction tries it again, with a new connection where the old one is dead. Of a
//     transaction whose Commit ends so, nobody knows whether it is there.
//   - A ledger of an older version is brought up to date at Open, in one transaction,
//     by one hub at a time; one of a newer version is refused (ErrNewer).
//   - No password is in an error or in a log.
//
// # Writers on PostgreSQL
//
// Writers take turns by an advisory lock that is held to the end of the transaction.
// Serializable transactions would let them run side by side and tell one of two at the
// end to begin anew; a round reads and writes marks, customers and budgets all over,
// so that two would nearly always collide, and a reader that pages by arrival number
// would miss rows of whoever commits later. A hub whose machine dies within a
// transaction holds the others up for a minute at the most.
//
// Texts are compared by their bytes. PostgreSQL's cannot hold what is no UTF-8, nor
// the character 0: in the names that a device made up such bytes are replaced; its
// record is kept as it came.
//
// # What erasing leaves
//
// What is known of customers has tables of its own. What is deleted there no statement
// finds any more, from the commit on. In the files:
//
//   - SQLite overwrites what is deleted (secure_delete); Scrub moves the write-ahead
//     log into the file and cuts it. After that no byte of it is in any file.
//   - PostgreSQL leaves deleted rows in their pages, also after a VACUUM. Scrub has the
//     tables of customers written anew (VACUUM FULL, for which writers wait; above 64 MB
//     at most once an hour), after which, and after the next checkpoint, no byte of it
//     is in the tables' files; nor in the server's statistics, which are switched off for
//     these columns. Scrub is not done while somebody reads who began before.
//     Its write-ahead log keeps it until the server uses or removes the segments:
//     with archiving, replicas and backups as long as those are kept, which is for their
//     operator to bound. So does the server's own log, where it is told to log statements
//     with their parameters: leave log_statement and log_parameter_max_length alone.
//
// # What callers owe
//
// Every Tx ends with Commit or Rollback. A Tx is used by one goroutine. Rows are
// not changed after they were given or got. A PostgreSQL server with fsync on, a
// database with encoding UTF8, and no pooler that hands a session from one
// transaction to another. Hubs that share a ledger share their keys too.
package ledger
