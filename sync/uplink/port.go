package uplink

import (
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// Config of a session. Zero fields take the defaults that stand beside them.
type Config struct {
	Tenant, Device string
	Groups         []string  // whose want is read as well
	Keys           wire.Keys // of the hub
	Boot           uint64    // which life of the device this is
	Seed           uint64    // of all jitter; drawn by each process, so that its copies have others

	Window       int            // batches in flight: 8
	BatchRecords int            // records of a batch: 256
	BatchBytes   int            // bytes of a batch's message aimed at: 32 KiB
	Linger       sense.Duration // how long a record waits for company: 500 ms, so that other devices know within a second; negative for not at all
	RTO          sense.Duration // until a batch or request is sent again, doubled each time: 3 s
	MaxRTO       sense.Duration // 60 s
	Retry        sense.Duration // until the second connect, doubled each time: 1 s
	MaxRetry     sense.Duration // 2 min

	Takeovers        int            // connections that may break within a minute with the broker there, before it counts as a duplicate identity: 3
	TakeoverPause    sense.Duration // how long the device then keeps away, doubled each time that it happens again: 5 min
	MaxTakeoverPause sense.Duration // 1 h
}

// Input is one thing that happened.
type Input interface{ input() }

type (
	// Tick lets time pass.
	Tick struct{}
	// Connected: the connection that Output.Connect asked for is open. Counter was
	// saved durably before, one more than the last, and is that of the last will.
	Connected struct{ Counter uint64 }
	// Disconnected: it failed to open, or broke.
	Disconnected struct{ Cause string }
	// Subscribed: the broker answered. Refused holds the filters it did not grant.
	Subscribed struct{ Refused []string }
	// Published: the broker has, or does not have, what was published under ID.
	// It says nothing of the hub.
	Published struct {
		ID uint64
		OK bool
	}
	// Arrived: a message came. Payload is not kept.
	Arrived struct {
		Topic   string
		Payload []byte
	}
	// Log is the present state of the outbox.
	Log struct {
		Epoch   uint64
		Head    uint64 // lowest number that is not acknowledged
		Next    uint64 // number of the next record
		Records int    // held
		Bytes   int64  // held
	}
	// Records answers a Read. An empty Run says that nothing can be sent from there now.
	Records struct {
		First   uint64
		Bundle  wire.BundleID
		Clock   sense.ClockState // when they were made
		Records [][]byte
	}
	// Self is what the device is; Epoch, First, Next and Boot of Birth are filled in.
	// Want is the revision of the want that was applied.
	Self struct {
		Birth   wire.Birth
		Handles []wire.Held
		Want    uint64
	}
	// Ask sends a request, and again until an answer names its id, or Cancel does.
	Ask struct {
		ID      string
		Request wire.Request
	}
	// Cancel stops an Ask.
	Cancel struct{ ID string }
	// Send publishes a document of st/ or up/ once, as soon as the hub is reached;
	// of st/ documents that wait, the newest of a topic is kept.
	Send struct {
		Plane       wire.Plane
		Class, Name string
		Payload     []byte
	}
	// Greet says hello once more, where the hub is reached: what is held must be confirmed anew.
	Greet struct{}
	// Stop says goodbye and ends the session for good.
	Stop struct{}
)

func (Tick) input()         {}
func (Connected) input()    {}
func (Disconnected) input() {}
func (Subscribed) input()   {}
func (Published) input()    {}
func (Arrived) input()      {}
func (Log) input()          {}
func (Records) input()      {}
func (Self) input()         {}
func (Ask) input()          {}
func (Cancel) input()       {}
func (Send) input()         {}
func (Stop) input()         {}
func (Greet) input()        {}

// Output is what to do, in the order of the fields.
type Output struct {
	Acknowledge *wire.Ack // tell the outbox, then give Log
	Up          []Event   // hand to the device
	Connect     bool      // save the counter and open a connection with Will
	Subscribe   []string  // filters, at QoS 1; answer with Subscribed
	Publish     []Publish // answer each with Published
	Read        *Read     // peek into the outbox; answer with Records
	Disconnect  bool      // close the connection; no Disconnected is owed
	Stopped     bool      // the session has ended: give nothing more
	Wake        sense.Instant
}

// Publish is one message to the broker.
type Publish struct {
	ID      uint64
	Topic   string
	Payload []byte
	Retain  bool
	QoS     byte
}

// Read asks for records from a number on: at most Records, about Bytes.
type Read struct {
	From           uint64
	Records, Bytes int
}

// Event is something for the device.
type Event interface{ event() }

type (
	// Link says whether the hub is reached: its answer to the echo came since the
	// connection is there.
	Link struct{ Up bool }
	// HubTime is the hub's clock, signed. Fresh: it answers the echo that went out last, so it is as
	// it was at most a round trip before now; else somebody may have held it back, and it is a lower bound.
	HubTime struct {
		Time  sense.Instant
		Fresh bool
	}
	// Want is a newer want, of the device, or of a group.
	Want struct {
		Group string
		Want  wire.Want
	}
	// Message is a slice, unchanged, forget, blob or site signal.
	Message struct{ Message wire.DownMessage }
	// Command is what the hub asks for: symbols, a new epoch. Of the epoch that it refuses nothing more
	// is sent, and no acknowledgement is taken, until Log brings another.
	Command struct{ Command wire.Command }
	// Job is a job's document, checked for its signature only.
	Job struct {
		Name    string
		Payload []byte
	}
	// Problem is something for the log of the device, and for doctor: at most one a minute of
	// a code, and one an hour of ProblemDuplicate. Count is how many there were since the last; Detail is
	// that of the newest.
	Problem struct {
		Code, Detail string
		Count        int
	}
)

func (Link) event()    {}
func (HubTime) event() {}
func (Want) event()    {}
func (Message) event() {}
func (Command) event() {}
func (Job) event()     {}
func (Problem) event() {}

// Codes of a Problem.
const (
	ProblemRefused     = "subscription_refused" // the broker does not grant a filter
	ProblemNoEcho      = "no_echo"              // the hub is there, and yet echo or hello is not answered: look at the ACL, or at the hub's log
	ProblemMessage     = "bad_message"          // malformed, forged, or not for this device
	ProblemAck         = "bad_acknowledgement"  // of another epoch, or of what was never written
	ProblemDuplicate   = wire.ReportDuplicateIdentity
	ProblemUnsent      = "request_dropped" // too many wait
	ProblemUnencodable = "batch_not_encodable"
)
