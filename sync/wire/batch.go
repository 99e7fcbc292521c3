package wire

//msgp:limit arrays:1048576 maps:0
//msgp:vartuple envelope
//msgp:ignore Batch

// SchemaVersion is the version of the envelope and of all records. Schema 2 packs
// decisions and outcomes (packed.go); 1 is still read.
const SchemaVersion = 2

// Codec says how the body of a batch is packed.
type Codec uint8

const (
	Plain Codec = 0
	Zstd  Codec = 1
)

// envelope is a batch as it travels.
type envelope struct {
	Version uint8
	Device  string
	Boot    uint64
	Epoch   uint64
	First   uint64
	N       uint32
	Bundle  [8]byte
	Clock   uint8
	Codec   uint8
	Body    []byte
}
