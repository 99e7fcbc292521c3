package wire

import (
	"encoding/json"
	"fmt"
)

// Request is what a device asks in up/req: a JSON object whose key `request`
// names it. Answers carry its ID as `re`.
type Request interface{ request() string }

func (*Hello) request() string         { return "hello" }
func (*SliceRequest) request() string  { return "slice" }
func (*BundleRequest) request() string { return "blob" }
func (*Echo) request() string          { return "echo" }
func (*SymbolTable) request() string   { return "symbols" }
func (*BudgetRequest) request() string { return "budget" }

// Hello opens each connection: the hub answers per handle with Slice, Unchanged
// or Forget, and with Ack.
type Hello struct {
	ID      string `json:"id"`
	Epoch   uint64 `json:"epoch,string"`
	First   uint64 `json:"first"`
	Next    uint64 `json:"next"`
	Handles []Held `json:"handles"`
	Want    uint64 `json:"want"` // revision applied
}

// Held is a slice that the device has.
type Held struct {
	Handle   Handle `json:"handle"`
	Revision uint64 `json:"revision"`
}

// SliceRequest asks for a customer's slice on identification. Customer is the
// id as the source knows it, sealed with SealToHub. Owners are what the customer
// is with there: their facts are part of the slice.
type SliceRequest struct {
	ID       string  `json:"id"`
	Handle   Handle  `json:"handle"`
	Customer []byte  `json:"customer"`
	Session  string  `json:"session,omitempty"`
	Owners   []Owner `json:"owners,omitempty"`
	At       int64   `json:"at,omitempty"` // as in BudgetRequest
}

// BudgetRequest asks for the customer's budgets anew, while somebody whose slice is
// held is served, or gives them back. What the device has made under the budgets so far
// lies at or below Through of its log; with Return it makes nothing more under them. The
// answer is Slice, Delta or Unchanged. A SliceRequest asks for budgets as well.
type BudgetRequest struct {
	ID       string `json:"id"`
	Handle   Handle `json:"handle"`
	Revision uint64 `json:"revision"` // of the slice that is held
	Epoch    uint64 `json:"epoch,string"`
	Through  uint64 `json:"through"`
	Return   bool   `json:"return,omitempty"`
	// At is the device's clock when it asked, in ms, and stays as the request is sent again: budgets whose lease was
	// over by then have come to nothing beyond Through. 0 where it does not know the time: then it says nothing of them.
	// Of one customer each request has a later one than those before it: by that a copy that comes late is known.
	At int64 `json:"at,omitempty"`
	// But belongs to AllHandles: under these the device may hold budgets.
	But []Handle `json:"but,omitempty"`
}

// MostBut is how many handles BudgetRequest.But names at most.
const MostBut = 1024

// AllHandles stands in a BudgetRequest with Return for every handle that the device ever had, but for those in But: it holds
// budgets under none of them. A device says so once in each life, since a life that was killed may have been lent what is
// written down nowhere. A hub that does not know it answers as for a handle of nobody.
func AllHandles() Handle {
	var h Handle
	for k := range h {
		h[k] = 0xff
	}
	return h
}

// BundleRequest asks for chunks of a file: Count chunks from Index on (0 counts as 1).
type BundleRequest struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
	Index  uint32 `json:"index"`
	Count  uint32 `json:"count,omitempty"`
}

// Echo is sent first, before anything that matters: the hub's answer
// (CmdEcho) proves that this device may write and read.
type Echo struct {
	ID string `json:"id"`
}

// SymbolTable answers CmdSymbols: one part of the names of a bundle, in order.
// Names[k] of the whole is symbol k+1.
type SymbolTable struct {
	Re     string   `json:"re"`
	Bundle BundleID `json:"bundle"`
	From   uint32   `json:"from"` // index of the first name of this part
	Of     uint32   `json:"of"`   // names in all
	Names  []string `json:"names"`
}

// EncodeRequest encodes r with its name.
func EncodeRequest(r Request) ([]byte, error) { return encodeNamed("request", r.request(), r) }

// DecodeRequest reads a request.
func DecodeRequest(b []byte) (Request, error) {
	var head struct {
		Request string `json:"request"`
	}
	if err := DecodeJSON(b, &head); err != nil {
		return nil, err
	}
	var r Request
	switch head.Request {
	case "hello":
		r = &Hello{}
	case "slice":
		r = &SliceRequest{}
	case "blob":
		r = &BundleRequest{}
	case "echo":
		r = &Echo{}
	case "budget":
		r = &BudgetRequest{}
	case "symbols":
		r = &SymbolTable{}
	default:
		return nil, fmt.Errorf("decode request: %.40q is not known: %w", head.Request, ErrMalformed)
	}
	return r, DecodeJSON(b, r)
}

// Command is what the hub says in dn/cmd/<name>, as signed JSON.
type Command interface{ Name() string }

func (*EchoAnswer) Name() string    { return "echo" }
func (*SymbolsWanted) Name() string { return "symbols" }
func (*NewEpoch) Name() string      { return "epoch" }
func (*Rebirth) Name() string       { return "rebirth" }

// EchoAnswer answers an Echo.
type EchoAnswer struct {
	Re   string `json:"re"`
	Time int64  `json:"time"` // the hub's clock, ms
}

// SymbolsWanted asks for the symbol table of a bundle that a batch named and
// the hub does not have.
type SymbolsWanted struct {
	ID     string   `json:"id"`
	Bundle BundleID `json:"bundle"`
}

// NewEpoch says that the records of an epoch conflict with those that the hub
// has, or end below them (a restored or cloned device): the outbox must be begun
// anew. What is not acknowledged moves into the new epoch, each record as a Moved.
type NewEpoch struct {
	ID    string `json:"id"`
	Epoch uint64 `json:"epoch,string"` // the one in conflict
}

// Rebirth asks for st/birth and a hello once more.
type Rebirth struct {
	ID string `json:"id"`
}

// EncodeCommand encodes c, to be signed for the topic dn/cmd/<c.Name()>.
func EncodeCommand(c Command) ([]byte, error) { return EncodeJSON(c) }

// DecodeCommand reads the payload of dn/cmd/<name>.
func DecodeCommand(name string, b []byte) (Command, error) {
	var c Command
	switch name {
	case "echo":
		c = &EchoAnswer{}
	case "symbols":
		c = &SymbolsWanted{}
	case "epoch":
		c = &NewEpoch{}
	case "rebirth":
		c = &Rebirth{}
	default:
		return nil, fmt.Errorf("decode command: %.40q is not known: %w", name, ErrMalformed)
	}
	return c, DecodeJSON(b, c)
}

// encodeNamed encodes v, a struct, with one more key in front.
func encodeNamed(key, name string, v any) ([]byte, error) {
	b, err := EncodeJSON(v)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(map[string]string{key: name})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", key, err)
	}
	if len(b) == 2 { // {}
		return head, nil
	}
	head[len(head)-1] = ','
	return append(head, b[1:]...), nil
}
