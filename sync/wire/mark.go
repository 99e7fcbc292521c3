package wire

//msgp:limit arrays:32768 maps:0
//msgp:vartuple Tombstone Report Sealed
//msgp:shim Kind as:uint8 using:uint8/Kind
//msgp:ignore Tail

// Reasons of a tombstone.
const (
	TombErased    = "erased"       // its key was destroyed by a forget
	TombWithdrawn = "withdrawn"    // its purposes were refused before it was sent
	TombCorrupt   = "corrupt"      // the store could not read it
	TombRefused   = "refused"      // it could not be put on the wire
	TombEvicted   = "evicted_disk" // the outbox was full
)

// Tombstone stands where a record was, under the same sequence number.
type Tombstone struct {
	At     int64
	Was    Kind
	Reason string
	Tail   Tail `msg:"-"`
}

// Codes of a report.
const (
	ReportStoreRecovered    = "store_recovered"
	ReportBundleRefused     = "bundle_refused"
	ReportDropped           = "dropped" // records refused by a full outbox
	ReportDuplicateIdentity = "duplicate_identity"
	ReportStoreRestored     = "store_restored" // the device had to leave an epoch: its store was put back from a copy
	ReportFlashBudget       = "flash_budget"   // more was written in a day than the device was given
)

// Report is what the hub should know about the device itself.
type Report struct {
	At     int64
	Code   string
	Detail string
	Count  uint64
	Tail   Tail `msg:"-"`
}

// Sealed is a personal record as the outbox keeps it: Body is the record,
// encrypted with the key of the lease. It never travels: it is opened at
// sending, or becomes a Tombstone where the key is gone.
type Sealed struct {
	Was    Kind
	Handle Handle
	Body   []byte
	Tail   Tail `msg:"-"`
}
