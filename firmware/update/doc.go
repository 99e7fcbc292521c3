// Package update brings signed bundles onto a device: it makes keys, signs,
// verifies, stages and activates.
//
// Keys, signatures and their files are those of the minisign program, in its
// pre-hashed form, so that `minisign -V` verifies what Tact signs and a device
// takes what minisign signed. The trusted comment names the bundle; version and
// name that count are inside the signed bytes and are read by a function that
// the caller gives, so that this room knows no catalog.
//
// It guarantees that a bundle which is unsigned, signed by a key that is not
// trusted, broken, or not newer than the one present never replaces it, and that
// a power cut at any point leaves one whole bundle active: two sets of files are
// written in turn, and one small file, replaced as a whole, says which counts.
// Every bundle is verified again each time it is read from disk.
//
// Callers owe one process per folder at a time, and trusted keys that reached
// the device by another way than the bundle.
package update
