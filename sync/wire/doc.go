// Package wire is what travels between a device and the hub: topics, records,
// batches, state and request documents, and the signed messages that come down.
//
// # What is fixed
//
//   - Topics: Topic, Path, and what Parse accepts (section 9 of the contract).
//   - Records: the structs of record.go, decision.go and personal.go. Fields are
//     only appended, never moved, removed or given another meaning; the nested
//     tuples (Input, Loser, Count) are closed for good, a new thing is a new
//     field of the record. A record is its kind byte and a msgp array. Since schema 2 the
//     first field of a decision and of an outcome is a block (packed.go), closed as
//     well; the form of schema 1 is read for ever.
//   - Words: outcomes and reason codes are numbers within a block (words.go), of a list
//     that only grows.
//   - The batch envelope (Batch) and its limits.
//   - State, want, requests and commands are JSON (state.go, request.go,
//     want.go); slices, acks, blobs and site signals are msgp (down.go).
//   - Everything below dn/ is a signed message (Sign, Open), bound to its topic.
//
// # What it guarantees
//
// Each decoder checks size, counts and depth before it makes anything, returns
// an error for whatever it does not understand, keeps no part of the input, and
// never panics. Fields appended by a newer version are kept raw in Tail and
// written back byte for byte; a record of an unknown kind is kept whole
// (Unknown). Equal input gives equal bytes. Nothing here knows the mind: names
// are symbols (Sym), values are sense.Value.
//
// # Versions
//
// The version before: all its records, batches, messages and documents are read
// (testdata/version-1), and what was read is written back in its own form. The next
// one, and any after it: appended fields are kept or left out, a record of an unknown kind and
// one in a form that is not known here are kept raw with their number, a word that is not known is
// the name of its code. The number in the envelope refuses nothing by itself: as long as a batch is a
// batch, all that can be read of it is. What a newer version must not do is to give a kind, a
// field or a word another meaning.
//
// Memory: no decoder allocates more than 72 times MaxMessage, whatever comes.
//
// # What callers owe
//
// Sequence numbers count from 1 and are implicit: the k-th record of a batch has
// First+k. Instants are whole milliseconds since 1970 UTC; 0 means none. The
// entropy for SealToHub is drawn by the caller and never used twice.
package wire

//go:generate go tool msgp -io=false -tests=false -file decision.go
//go:generate go tool msgp -io=false -tests=false -file personal.go
//go:generate go tool msgp -io=false -tests=false -file mark.go
//go:generate go tool msgp -io=false -tests=false -file forgotten.go
//go:generate go tool msgp -io=false -tests=false -file moved.go
//go:generate go tool msgp -io=false -tests=false -unexported -file batch.go
//go:generate go tool msgp -io=false -tests=false -file down.go
