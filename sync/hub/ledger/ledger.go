package ledger

import (
	"context"
	"errors"
	"io"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
)

var (
	// ErrNewer says that a ledger was written by a newer version of this program.
	ErrNewer = errors.New("written by a newer version")
	// ErrUnavailable says that the database cannot be reached, or cannot write, whatever it
	// is asked: another try at once is of no use, a later one is. Of a transaction
	// whose Commit ends with it nobody knows whether it is there.
	ErrUnavailable = errors.New("the ledger's database is not available")
)

// Ledger is the port: where the hub keeps everything.
type Ledger interface {
	// Begin opens the one writing transaction; it waits while another is open.
	Begin(ctx context.Context) (Tx, error)
	// Decisions returns decisions in order of arrival, with their outcomes.
	Decisions(ctx context.Context, f Filter) ([]Decided, error)
	// Verify reads the whole log and returns what is wrong with it.
	Verify(ctx context.Context) (Report, error)
	// Count counts decisions and what came of them, over all devices.
	Count(ctx context.Context) (Counts, error)
	io.Closer
}

// Tx is the writing transaction.
type Tx interface {
	hub.Tx
	Commit() error
	Rollback() error
}

// Filter chooses decisions.
type Filter struct {
	Since  sense.Instant // at or after
	Device string        // empty: all
	After  int64         // arrival number, to page on
	Limit  int           // 1..MaxDecisions
}

// MaxDecisions is the most that Decisions returns at once.
const MaxDecisions = 10_000

// Decided is a decision record and what came of it.
type Decided struct {
	Arrival  int64 // rising in order of arrival
	Record   hub.Record
	Symbols  []string      // of its bundle; nil where the hub has none
	Outcomes []hub.Outcome // in order of Happened
}

// Counts are totals over all devices.
type Counts struct {
	Records   int64 `json:"records"`
	Decisions int64 `json:"decisions"`
	Answered  int64 `json:"answered"` // decisions that an interaction referred to
	Devices   int64 `json:"devices"`
	Customers int64 `json:"customers"`
	Entries   int64 `json:"entries"`
}

// Report is what Verify found.
type Report struct {
	Epochs   []EpochCount `json:"epochs"`   // in order of device and epoch
	Findings []Finding    `json:"findings"` // none: the log is whole
}

// EpochCount is what one epoch of one device has brought.
type EpochCount struct {
	Device    string `json:"device"`
	Epoch     uint64 `json:"epoch,string"`
	Records   int64  `json:"records"`
	Decisions int64  `json:"decisions"`
	Last      uint64 `json:"last"`
	// Repeated are numbers of records that were moved out of an epoch and had come before: they count there.
	Repeated   int64            `json:"repeated,omitempty"`
	Tombstones map[string]int64 `json:"tombstones,omitempty"` // what stands where records were, by reason
	Reports    map[string]int64 `json:"reports,omitempty"`    // what the device says of itself, by code
}

// Finding is one thing that is wrong.
type Finding struct {
	Device string `json:"device"`
	Epoch  uint64 `json:"epoch,string"`
	Code   string `json:"code"` // gap, lost, double, decision_gap, mark, duplicate_identity
	Text   string `json:"text"`
}
