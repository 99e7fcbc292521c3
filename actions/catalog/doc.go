// Package catalog is what a policy has become: actions, treatments, slots,
// purposes, facts, signals, contact policy and the compiled program, in the form
// that devices load, the bundle; and the closed list of stages and reason codes.
//
// It guarantees that a decoded bundle is whole: every index points at something,
// every limit is held, the program is checked. Names are kept in order, so that
// an index is a stable symbol within one bundle, and a name is found by halving. What a subject
// lies below, is of the kind of, and may betray is told here too, so that all rooms tell the same.
//
// What Decode allocates is a small multiple of the bytes that it is given, whatever they announce, and what
// Check takes grows with them. Names of a bundle lie in blocks of their own, so that who remembers one
// beyond the bundle keeps a few names with it, and none of its texts.
//
// Callers owe a signature check before Decode (firmware/update does it), and
// treat a bundle as read-only: all sessions of a device share one.
package catalog
