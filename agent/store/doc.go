// Package store keeps what a device must not forget: the log of record
// (outbox.db), the state of the mind as a cache of it (state.db), and the keys of
// the leases (keys), on bbolt.
//
// # What it guarantees
//
//   - What a call has returned from is on the disk: no write is left to a timer,
//     none is without a sync, files are made under another name and renamed. A
//     disk that keeps its word never shows anything between before and after.
//   - What is held of a customer is sealed with the key of the lease (AES-256-GCM,
//     bound to the handle and to what it is). Forgetting is done when the key file
//     is written anew without that key: a few kilobytes, whatever was stored.
//     state.db is keyed by a keyed hash of the customer; readable beside a sealed
//     slice are its handle, the end of the lease, and when it was last written.
//   - Damage never ends the device: the file is set aside with the time in its
//     name, an empty one takes its place, and Recovered says so. So is a file at
//     which three starts in a row have died. The newest three of each are kept for
//     people, unless a full disk needs the room; sealed parts in them stay sealed. Of the key file
//     they are kept until a key is destroyed.
//   - Files are bounded by Options; at the bound, and on a full disk, a write is
//     ErrFull and changes nothing.
//   - Another process that has the store open is ErrBusy after two seconds.
//   - Leaving an epoch (NewEpoch) is one step: the new log is whole and durable
//     before it takes the place of the old one. Cloned says that the log was made
//     on another machine.
//   - What is written is counted (Written), per file, in all, and for the day.
//
// # What it costs
//
// Records appended one at a time stand in one value beside the meta of outbox.db
// until they are 2 KB, so that most commits write three pages of 4 KiB: 14 KB on
// average for one record of 256 bytes, 61 KB for 64 of them, 111 KB for 256. A
// snapshot writes the customers and lists that have changed: two pages where none
// has. A new key is appended to the key file, destroying some writes it anew.
//
// bbolt gives nothing back by itself. When Drop or Save find that a database is
// more than twice as large as what is in use, that 1 MiB or more is to gain, and
// that at most 8 MiB are in use, these are copied into a new file that takes its
// place. That is what the mind waits for at most, also where the file has 64 MiB
// or more; see Outbox.Compact.
//
// The list of free pages is not stored: bbolt finds them when it opens a file, by
// looking at every page, and dies of what it does not expect. So verifyDB looks at
// every page before it does.
//
// # What the keys protect from
//
// The device key comes from a KeyPort: a file beside the others, or a systemd
// credential. As a file it protects from reading the databases alone (a copied or
// set-aside file, free pages of a database, a bug that leaks values), not from
// somebody who has the whole disk: for that, give it as an encrypted credential.
//
// # What callers owe
//
// One Store to a folder and one goroutine for State. Outbox is used through
// sync/outbox, whose lock serves it; NewEpoch is called within its Renew, and its
// Drop when there is nothing else to do. Keys and Written are safe for concurrent use.
package store
