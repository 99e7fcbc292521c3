// Package store keeps what a device must not forget: the log of record
// (outbox.db), the state of the mind as a cache of it (state.db), and the keys of
// the leases (keys), on bbolt.
//
// # What it guarantees
//
//   - What a call has returned from is on the disk: no write is left to a timer,
//     none is without a sync, files are made under another name and renamed.
//   - What is held of a customer is sealed with the key of the lease (AES-256-GCM,
//     bound to the handle and to what it is). Forgetting is done when the key file
//     is written anew without that key: a few kilobytes, whatever was stored.
//     state.db is keyed by a keyed hash of the customer; readable beside a sealed
//     slice are its handle, the end of the lease, and when it was last written.
//   - Damage never ends the device: the file is set aside with the time in its
//     name, an empty one takes its place, and Recovered says so. The newest three
//     of each are kept for people; sealed parts in them stay sealed.
//   - Files are bounded by Options; at the bound a write is ErrFull and changes nothing.
//   - Another process that has the store open is ErrBusy after two seconds.
//
// # What the keys protect from
//
// The device key is a file beside the others, or a systemd credential. As a file
// it protects from reading the databases alone (a copied or set-aside file, free
// pages of a database, a bug that leaks values), not from somebody who has the
// whole disk: for that, give it as an encrypted credential.
//
// # What callers owe
//
// One Store to a folder and one goroutine for State. Outbox is used through
// sync/outbox, whose lock serves it. Keys are safe for concurrent use.
package store
