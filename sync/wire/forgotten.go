package wire

//msgp:limit arrays:256 maps:0
//msgp:vartuple Forgotten
//msgp:ignore Tail

// Forgotten is the receipt of a forget: the keys are destroyed, durably.
type Forgotten struct {
	At     int64
	ID     string // of the Forget; empty where the device itself was told
	Handle Handle // none where the device knew nobody of that id
	// Erased are hashes of the ids, keyed by the device's own secret and at most 256: its log
	// alone must tell what it may not take any more. They do not travel.
	Erased [][32]byte
	Tail   Tail `msg:"-"`
}
