// Package moments keeps what a device's decisions looked at, so that any of them can be recomputed in
// full: a bounded ring of segment files beside the stores, and the export that people read elsewhere.
//
// # What it guarantees
//
//   - Nothing waits for it. Append queues and returns; what does not fit into the queue, or onto the
//     disk, is lost and counted, and a decision is shown all the same. Nothing is written but where
//     something was decided, and nothing is synced but whole segments: after a power cut the last
//     moments may be missing, and the ring goes on where its last sound record ends.
//   - A moment is sealed with the key of its customer's lease, of nobody in particular with the device's
//     own. Without the key it cannot be read. Hold takes out of the files whose key is gone, or whose lease has ended.
//   - The files stay below Options.MaxBytes, and a moment goes at the latest a segment after Options.Keep.
//   - Damage costs the records that it hit: each carries a checksum. Bytes that are no ring are left alone.
//
// # What callers owe
//
// One Ring to a folder. Keys that are safe for concurrent use. Hold after every forget, and from time to
// time. An export holds personal data in the clear: who takes one needs the agreement of whoever is
// responsible for the device, and the export is to be deleted like any other copy.
package moments
