// Package sim is a small world: some devices and one hub in virtual time, over a
// link that loses, doubles, delays and is cut, all in one goroutine.
//
// The devices are real but for their hardware: the mind, the body and its records
// (agent), the outbox and the delivery session; so is the hub, on a ledger in
// memory. What is simulated is time, the broker, the disk below the outbox, and
// the keys. A crash takes everything but the disk; the device opens it again.
//
// It guarantees that the same configuration and calls give the same run, byte for
// byte: chance comes from the seed, events happen in order of (instant, sequence),
// and Log is a running hash of all that was decided and sent. Balance says whether
// the hub has every record of every device, none lost and none twice.
//
// Callers owe instants that do not decrease. The world begins a while before the
// start, so that the devices are connected by then where the link allows it.
package sim
