package hub

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// Reasons for which something that came is not taken.
var (
	// ErrErased refuses what is said of a customer who was erased.
	ErrErased = errors.New("erased")
	// ErrInvalid refuses what says something that cannot be; a fact by its declaration too.
	ErrInvalid = catalog.ErrInvalidValue
	// ErrInferred refuses a special fact that was inferred.
	ErrInferred = errors.New("special_inferred")
	// ErrNotForHub refuses lines that are a device's own business.
	ErrNotForHub = errors.New("not for the hub")
	// ErrNotTaken refuses a message that does not belong where it came.
	ErrNotTaken = errors.New("not taken")
	// ErrConflict says that a record's number has another content here.
	ErrConflict = errors.New("records conflict")
	// ErrLater puts a message off until something that it needs is here; its device sends it again.
	ErrLater = errors.New("put off")
	// ErrOlder refuses a bundle that is older than the one in charge.
	ErrOlder = errors.New("older than the one in charge")
)

// Config is what a hub is given for life.
type Config struct {
	Tenant string
	Open   *ecdh.PrivateKey // opens what devices seal to the hub
	Secret [32]byte         // keys the hashes of what must not be kept
	Lease  sense.Duration   // length of a slice's lease; 7d where 0
	// Zone gives the rules of a named time zone, always the same. Where it is nil, limits of the calendar of
	// customers who live in a zone of their own are lent as if it might be any.
	Zone func(name string) (sense.Zone, error)
	// Shares is how many shares of limits one message names; 512 where 0, which is the most.
	Shares int
}

// Mind is the hub's mind. It holds nothing that is not in the ledger.
type Mind struct {
	cfg     Config
	batches *wire.Unpacker
	bundles map[string]*catalog.Bundle // decoded, by SHA-256; a cache
	sweep   sweep                      // where it goes on; begun anew it does the same
}

// New makes a mind.
func New(cfg Config) (*Mind, error) {
	if !wire.ValidID(cfg.Tenant) {
		return nil, fmt.Errorf("make hub: tenant %q is not 1 to 64 letters, digits, - or _", cfg.Tenant)
	}
	if cfg.Open == nil {
		return nil, errors.New("make hub: the key that opens is needed")
	}
	if cfg.Lease <= 0 {
		cfg.Lease = 7 * sense.Day
	}
	if cfg.Shares <= 0 || cfg.Shares > mostBudgets {
		cfg.Shares = mostBudgets
	}
	p, err := wire.NewUnpacker()
	if err != nil {
		return nil, fmt.Errorf("make hub: %w", err)
	}
	return &Mind{cfg: cfg, batches: p, bundles: map[string]*catalog.Bundle{}}, nil
}

// Input is one thing that reaches the hub.
type Input interface{ input() }

type (
	// FromSource is an event line of a source. Its answer says whether it was taken.
	FromSource struct {
		Source string
		Event  event.Event
	}
	// FromDevice is a message of a device. The answer is for counting: devices hear by acknowledgement.
	FromDevice struct {
		Topic   string
		Payload []byte
		Opened  *Opened // of a batch: what Open made of the payload; nil: it is unpacked here
	}
	// Publish puts a bundle in charge of a scope ("", "g/GROUP", "d/DEVICE"). Its signature was checked.
	Publish struct {
		File      []byte
		Signature []byte
		Scope     string
	}
	// Ask asks whether somebody may be approached.
	Ask struct{ Question }
	// Look asks what is known of a customer.
	Look struct{ Customer string }
	// Connected says that the hub has reached its broker (again): what was published before may be lost.
	Connected struct{}
	// Tick lets time pass; give one every few seconds.
	Tick struct{}
	// settle ends a round: what changed is pushed and acknowledged.
	settle struct{ touched }
)

func (FromSource) input() {}
func (FromDevice) input() {}
func (Publish) input()    {}
func (Ask) input()        {}
func (Look) input()       {}
func (Connected) input()  {}
func (Tick) input()       {}
func (settle) input()     {}

// Output is what a step wants done: the writes, in one transaction with those of
// the round; after the commit the messages and the answer.
type Output struct {
	Writes   []Write
	Messages []Message
	Answer   Answer
	touched  touched
}

// Answer is what the sender hears. Err is why the input was not taken.
type Answer struct {
	Err  error
	May  *Verdict  // of an Ask
	View *Customer // of a Look

	Erasure    *Erasure        // of a forget
	Erasures   []Erasure       // of LookErasures
	Account    *Account        // of an Access
	Suppressed *SuppressedPage // of Suppressions
}

// Message is to be published. Below dn/ it has to be signed first.
type Message struct {
	Topic   string
	Payload []byte
	Retain  bool
}

// touched is what a step changed that others must hear of.
type touched struct {
	ids    map[string]holder  // customers, by id: the one holder that met them; none where anything else changed
	words  map[word]bool      // told by devices: each knows its own
	limits map[limitWord]bool // what devices told of restrictions
	owners map[string]bool
	logs   map[epoch]string // batches came: acknowledge; the id of the request to answer, or empty
	wants  bool             // the wanted bundles changed
}

// limitWord is that a device said that a restriction is on, or off.
type limitWord struct {
	by holder
	on bool
}

type epoch struct {
	device string
	epoch  uint64
}

func (t *touched) id(id string) { t.contact(id, holder{}) }

// contact notes that a device met a customer under a handle, or that she answered there: it knows that itself.
func (t *touched) contact(id string, by holder) {
	if t.ids == nil {
		t.ids = map[string]holder{}
	}
	if other, ok := t.ids[id]; ok && other != by {
		by = holder{}
	}
	t.ids[id] = by
}

func (t *touched) word(w word) {
	if t.words == nil {
		t.words = map[word]bool{}
	}
	t.words[w] = true
}

func (t *touched) restricted(w limitWord) {
	if t.limits == nil {
		t.limits = map[limitWord]bool{}
	}
	t.limits[w] = true
}

func (t *touched) owner(id string) {
	if t.owners == nil {
		t.owners = map[string]bool{}
	}
	t.owners[id] = true
}

func (t *touched) log(e epoch, re string) {
	if t.logs == nil {
		t.logs = map[epoch]string{}
	}
	if re != "" || t.logs[e] == "" {
		t.logs[e] = re
	}
}

func (t *touched) add(o touched) {
	for id, by := range o.ids { // order: sets are united
		t.contact(id, by)
	}
	for w := range o.words { // order: sets are united
		t.word(w)
	}
	for w := range o.limits { // order: sets are united
		t.restricted(w)
	}
	for id := range o.owners { // order: sets are united
		t.owner(id)
	}
	for e, re := range o.logs { // order: each key apart
		t.log(e, re)
	}
	t.wants = t.wants || o.wants
}

// Round passes inputs through the mind within one transaction, which the caller
// commits before it performs the outputs: one for each input, and a last one
// for all of them. An error is the ledger's; the caller rolls back.
func (m *Mind) Round(tx Tx, now sense.Instant, inputs []Input) ([]Output, error) {
	outputs := make([]Output, 0, len(inputs)+1)
	var all touched
	step := func(in Input) error {
		out, err := m.Step(tx, now, in)
		if err != nil {
			return err
		}
		if err := tx.Apply(out.Writes); err != nil {
			return err
		}
		all.add(out.touched)
		outputs = append(outputs, out)
		return nil
	}
	for _, in := range inputs {
		if err := step(in); err != nil {
			return nil, err
		}
	}
	if err := step(settle{all}); err != nil {
		return nil, err
	}
	return outputs, nil
}

// Step is the mind. An error is the ledger's: nothing of the input may be kept
// then. That an input is not taken is in the answer.
func (m *Mind) Step(v View, now sense.Instant, in Input) (Output, error) {
	s := &step{Mind: m, view: v, now: now}
	var err error
	switch in := in.(type) {
	case FromSource:
		err = s.fromSource(in)
	case FromDevice:
		err = s.fromDevice(in)
	case Publish:
		err = s.publish(in)
	case Ask:
		s.out.Answer.May, err = s.may(in.Question)
	case Look:
		s.out.Answer.View, err = s.look(in.Customer)
	case Connected:
		err = s.connected()
	case Tick:
		err = s.tick()
	case LookErasures:
		s.out.Answer.Erasures, err = s.lookErasures(in)
	case Access:
		s.out.Answer.Account, err = s.access(in.Customer)
	case Suppressions:
		s.out.Answer.Suppressed, err = s.suppressed(in)
	case settle:
		err = s.settle(in.touched)
	}
	var no refusal
	if errors.As(err, &no) {
		// Nothing of a refused input is kept, but what the refusal itself asks of the device.
		return Output{Messages: s.reply, Answer: Answer{Err: no.error}}, nil
	}
	if err != nil {
		return Output{}, fmt.Errorf("step hub: %w", err)
	}
	s.out.Messages = append(s.out.Messages, s.reply...)
	return s.out, nil
}

// refusal is an error of the input, not of the ledger.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// step is one call of Step.
type step struct {
	*Mind
	view     View
	now      sense.Instant
	out      Output
	reply    []Message                 // sent even when the input is refused
	back     map[string]bool           // ids whose erasure this step has ended
	gone     map[string]sense.Instant  // ids that this step has erased, and since when
	heard    map[string]Device         // devices that this step has written
	revision uint64                    // last given in this step; 0 before the first
	owners   map[string]*profile.Slice // what is known of vehicles, households and sites
	whole    bool                      // the device has lost what it told itself: no slice that it holds is unchanged
	words    map[word]bool             // that devices told in this round
	limits   map[limitWord]bool        // as touched has it
	scratch  []byte
	erasing
}

func (s *step) write(w ...Write) { s.out.Writes = append(s.out.Writes, w...) }

// device returns what is known of a device; one that was never heard of is new.
func (s *step) device(id string) (Device, error) {
	if d, ok := s.heard[id]; ok {
		return d, nil
	}
	d, ok, err := s.view.Device(id)
	if err != nil || ok {
		return d, err
	}
	return Device{ID: id, Since: s.now}, nil
}

func (s *step) putDevice(d Device) {
	if s.heard == nil {
		s.heard = map[string]Device{}
	}
	s.heard[d.ID] = d
	s.write(PutDevice{d})
}

// settle tells the devices what the round changed.
func (s *step) settle(t touched) error {
	if t.wants {
		if err := s.pushWants(); err != nil {
			return err
		}
	}
	s.words, s.limits = t.words, t.limits
	if err := s.pushSlices(t); err != nil {
		return err
	}
	for _, e := range sortedKeys(t.logs, func(a, b epoch) int {
		if c := strings.Compare(a.device, b.device); c != 0 {
			return c
		}
		return compare(a.epoch, b.epoch)
	}) {
		if err := s.acknowledge(e, t.logs[e]); err != nil {
			return err
		}
	}
	return nil
}

// send queues a message for a device.
func (s *step) send(device, class, name string, payload []byte, retain bool) {
	t := wire.Topic{Tenant: s.cfg.Tenant, Device: device, Plane: wire.Down, Class: class, Name: name}
	s.out.Messages = append(s.out.Messages, Message{Topic: t.String(), Payload: payload, Retain: retain})
}

// sendDown queues a msgp message; one that cannot be encoded is our own mistake.
func (s *step) sendDown(device, class, name string, d wire.DownMessage) error {
	b, err := wire.EncodeDown(d)
	if err != nil {
		return err
	}
	s.send(device, class, name, b, false)
	return nil
}

// command queues a command, even when the input that calls for it is refused.
func (s *step) command(device string, c wire.Command) error {
	b, err := wire.EncodeCommand(c)
	if err != nil {
		return err
	}
	t := wire.Topic{Tenant: s.cfg.Tenant, Device: device, Plane: wire.Down, Class: wire.ClassCmd, Name: c.Name()}
	s.reply = append(s.reply, Message{Topic: t.String(), Payload: b})
	return nil
}

// hash stands for something that must not be kept: nobody without the hub's
// secret can find out what it was by trying.
func (m *Mind) hash(parts ...string) Hash {
	mac := hmac.New(sha256.New, m.cfg.Secret[:])
	for _, p := range parts {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return Hash(mac.Sum(nil)[:16])
}

func sortedKeys[K comparable, V any](m map[K]V, order func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m { // order: sorted below
		keys = append(keys, k)
	}
	slices.SortFunc(keys, order)
	return keys
}

func compare[T uint64 | int64 | sense.Instant](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
