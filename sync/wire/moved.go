package wire

//msgp:limit arrays:32768 maps:0
//msgp:vartuple Moved
//msgp:ignore Tail

// Moved is a record that a device took over from an epoch which it had to leave
// (its store was restored from a copy, or cloned). Body is the record as it stood
// there. The hub knows by its digest whether it had come already, and then counts
// it no second time; numbers within it are those of Epoch.
type Moved struct {
	Epoch uint64 // the one left
	Seq   uint64 // its number there
	Body  []byte
	Tail  Tail `msg:"-"`
}
