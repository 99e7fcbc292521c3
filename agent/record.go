package agent

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// symbols is the table of one bundle: symbol k+1 is names[k].
type symbols struct {
	bundle wire.BundleID
	names  []string
	ids    map[string]uint32
}

func symbolsOf(bundle wire.BundleID, names []string) *symbols {
	s := &symbols{bundle: bundle, names: names, ids: make(map[string]uint32, len(names))}
	for k, n := range names {
		if _, known := s.ids[n]; !known {
			s.ids[n] = uint32(k + 1)
		}
	}
	return s
}

// sym names something: by number where the table has it, else written out, cut
// to what may travel.
func (s *symbols) sym(name string) wire.Sym {
	if name == "" {
		return wire.Sym{}
	}
	if id, ok := s.ids[name]; ok {
		return wire.Sym{ID: id}
	}
	if len(name) > wire.MaxName {
		name = strings.ToValidUTF8(name[:wire.MaxName], "")
	}
	return wire.Named(name)
}

func (s *symbols) name(x wire.Sym) (string, error) {
	n, ok := x.Resolve(s.names)
	if !ok {
		return "", fmt.Errorf("symbol %d is not in the table of bundle %s", x.ID, s.bundle)
	}
	return n, nil
}

// codec turns records of the mind into records of the log, and back.
type codec struct {
	device   string
	epoch    uint64
	secret   [16]byte
	keys     Keys
	withheld withheld
	// forgets and what encodes are the mind's goroutine alone.
	forgets forgets
}

const silence = "silence"

// wantsKey says whether a record is sealed, or names a customer who may yet have
// something sealed.
func (c *codec) wantsKey(r *engine.Record) bool {
	if r.Identified != nil {
		return true
	}
	if r.Event == nil {
		return false
	}
	switch r.Event.Body.(type) {
	case *event.Fact, *event.Consent, *event.Objection, *event.Restrict, *event.Interaction:
		return true
	}
	return false
}

// mostLosers is how many losers a record names.
const mostLosers = 10

// ownerHandle is under whose key facts of vehicles, households and sites are sealed.
var ownerHandle engine.Handle

// encode makes the stored form of a record. One that cannot be encoded becomes a
// tombstone with its number, so that it holds up nothing.
func (c *codec) encode(r *engine.Record, s *symbols) ([]byte, error) {
	w, private := c.toWire(r, s)
	raw, err := wire.AppendRecord(nil, w)
	if err != nil {
		return wire.AppendRecord(nil, &wire.Tombstone{At: int64(r.At), Was: w.Kind(), Reason: wire.TombRefused})
	}
	if !private {
		return raw, nil
	}
	body, err := c.keys.Seal(r.Handle, sealedAs(r.Seq), raw)
	if err != nil {
		return nil, fmt.Errorf("seal record %d: %w", r.Seq, err)
	}
	sealed := &wire.Sealed{Was: w.Kind(), Handle: wire.Handle(r.Handle), Body: body}
	if raw, err = wire.AppendRecord(nil, sealed); err != nil {
		return wire.AppendRecord(nil, &wire.Tombstone{At: int64(r.At), Was: w.Kind(), Reason: wire.TombRefused})
	}
	return raw, nil
}

// sealedAs binds a sealed record to its place in the log.
func sealedAs(seq uint64) string { return "record " + strconv.FormatUint(seq, 10) }

// toWire says as well whether the record tells something of a person, and so is sealed.
func (c *codec) toWire(r *engine.Record, s *symbols) (w wire.Record, private bool) {
	h := wire.Handle(r.Handle)
	switch {
	case r.Decision != nil:
		return c.decision(r, s), false
	case r.Identified != nil:
		// Sealed for the hub only when it is sent: its key may not be known yet.
		return &wire.Identified{At: int64(r.At), Handle: wire.Handle(r.Identified.Handle), Sealed: []byte(r.Identified.Customer), By: uint8(r.Identified.By)}, true
	case r.Event == nil:
		return &wire.Tombstone{At: int64(r.At), Reason: wire.TombRefused}, false
	}
	e := r.Event
	at, happened := int64(r.At), int64(e.Happened)
	switch b := e.Body.(type) {
	case *event.Outcome:
		o := &wire.Outcome{At: at, Happened: happened, Outcome: s.sym(b.Outcome), Session: s.sym(e.Session), Slot: s.sym(b.Slot), Handle: h, ID: e.ID, Source: e.Source}
		if epoch, n, ok := c.splitID(b.Decision); ok {
			o.N = n
			if epoch != c.epoch {
				o.Epoch = epoch
			}
			if by := deviceOf(b.Decision); by != c.device && wire.ValidID(by) {
				o.Device, o.Epoch = by, epoch
			}
		}
		return o, false
	case *event.Fact:
		return &wire.Fact{At: at, Happened: happened, Handle: h, Owner: b.Owner, Name: s.sym(b.Name), Value: wire.ValueOf(b.Value), Provenance: uint8(b.Provenance), ID: e.ID, Source: e.Source}, true
	case *event.Consent:
		return &wire.Consent{At: at, Happened: happened, Handle: h, Purpose: s.sym(b.Purpose), Granted: b.Granted, Text: b.Text, Expires: fromNever(b.Expires), ID: e.ID, Source: e.Source}, true
	case *event.Objection:
		return &wire.Objection{At: at, Happened: happened, Handle: h, Purpose: s.sym(b.Purpose), Raised: b.Raised, ID: e.ID, Source: e.Source}, true
	case *event.Restrict:
		return &wire.Restrict{At: at, Happened: happened, Handle: h, On: b.On, ID: e.ID, Source: e.Source}, true
	case *event.Interaction:
		return &wire.Interaction{At: at, Happened: happened, Handle: h, What: s.sym(b.Kind), About: string(b.About), Channel: s.sym(b.Channel), Ref: b.Ref,
			Value: wire.ValueOf(b.Value), Due: fromNever(b.Due), ID: e.ID, Source: e.Source}, true
	case *event.Forget:
		return &wire.Forgotten{At: at, ID: cmp.Or(e.ID, c.forgets.ids[r.Handle]), Handle: h, Erased: r.Erased}, false
	}
	return &wire.Tombstone{At: at, Reason: wire.TombRefused}, false
}

// fromNever and toNever map the end that does not come: 0 on the wire.
func fromNever(i sense.Instant) int64 {
	if i == sense.Never {
		return 0
	}
	return int64(i)
}

func toNever(ms int64) sense.Instant {
	if ms == 0 {
		return sense.Never
	}
	return sense.Instant(ms)
}

var treatments = []string{wire.TreatmentNone: "", wire.TreatmentSay: "say", wire.TreatmentSayPersonal: "say_personal"}

func (c *codec) decision(r *engine.Record, s *symbols) *wire.Decision {
	d := r.Decision
	w := &wire.Decision{
		N: d.N, At: int64(d.At), Session: s.sym(d.Session), Slot: s.sym(d.Slot), Treatment: uint8(max(0, slices.Index(treatments, d.Treatment))),
		Value: d.Value, Propensity: int32(d.Propensity), Probability: uint32(d.Probability), Cause: s.sym(d.Cause), Asked: d.Asked, Handle: wire.Handle(r.Handle),
	}
	if d.Action != silence {
		w.Action = s.sym(d.Action)
	}
	copy(w.Moment[:], d.Moment[:])
	for k, name := range d.Uses {
		in := wire.Input{Name: s.sym(name)}
		if k < len(d.Ages) { // a decision that was read back from a record has none
			in.Age = wire.AgeClassOf(int64(d.Ages[k]))
		}
		w.Inputs = append(w.Inputs, in)
	}
	for k := range d.List {
		w.Listed = append(w.Listed, s.sym(d.List[k].Action))
	}
	if d.Priced {
		w.Price = []int64{d.Price, d.Normal}
	}
	d.Explain()
	best, rest := losers(d.Rejected)
	for _, l := range best {
		w.Losers = append(w.Losers, wire.Loser{Action: s.sym(l.Action), Stage: wire.Stage(l.Stage), Reason: s.sym(l.Reason.String())})
	}
	for _, n := range rest {
		w.Rest = append(w.Rest, wire.Count{Stage: wire.Stage(n.stage), Reason: s.sym(n.reason.String()), N: n.count})
	}
	return w
}

type lost struct {
	stage  catalog.Stage
	reason catalog.Reason
	count  uint32
}

// losers returns the ten that came furthest (the latest stage first, then the
// higher value, then by name), and a count per stage and reason of the others.
func losers(rejected []engine.Rejected) (best []engine.Rejected, rest []lost) {
	best = make([]engine.Rejected, 0, min(mostLosers, len(rejected))+1)
	for k := range rejected { // in order of name
		r := &rejected[k]
		at := len(best)
		for at > 0 && further(r, &best[at-1]) {
			at--
		}
		if at == mostLosers {
			rest = count(rest, r)
			continue
		}
		best = slices.Insert(best, at, *r)
		if len(best) > mostLosers {
			rest = count(rest, &best[mostLosers])
			best = best[:mostLosers]
		}
	}
	slices.SortFunc(rest, func(a, b lost) int {
		return cmp.Or(cmp.Compare(b.stage, a.stage), cmp.Compare(a.reason, b.reason))
	})
	return best, rest
}

// further says whether one came further than another.
func further(a, b *engine.Rejected) bool {
	return a.Stage > b.Stage || a.Stage == b.Stage && a.Value > b.Value
}

// count adds one that fell to the counts.
func count(all []lost, r *engine.Rejected) []lost {
	k := slices.IndexFunc(all, func(l lost) bool { return l.stage == r.Stage && l.reason == r.Reason })
	if k < 0 {
		k, all = len(all), append(all, lost{stage: r.Stage, reason: r.Reason})
	}
	all[k].count++
	return all
}

// decisionID and splitID are the two ways of <device>-<epoch>-<n>.
func (c *codec) decisionID(epoch, n uint64) string { return c.decisionOf(c.device, epoch, n) }

func (c *codec) decisionOf(device string, epoch, n uint64) string {
	return device + "-" + strconv.FormatUint(epoch, 10) + "-" + strconv.FormatUint(n, 10)
}

func (c *codec) splitID(id string) (epoch, n uint64, ok bool) {
	last := strings.LastIndexByte(id, '-')
	if last < 0 {
		return 0, 0, false
	}
	first := strings.LastIndexByte(id[:last], '-')
	if first < 0 {
		return 0, 0, false
	}
	epoch, err1 := strconv.ParseUint(id[first+1:last], 10, 64)
	n, err2 := strconv.ParseUint(id[last+1:], 10, 64)
	return epoch, n, err1 == nil && err2 == nil
}

// deviceOf returns the device that made a decision.
func deviceOf(id string) string {
	for range 2 {
		id = id[:max(0, strings.LastIndexByte(id, '-'))]
	}
	return id
}

// errNotMind says that a record of the log is none of the mind's: a report, a tombstone.
var errNotMind = errors.New("not a record of the mind")

// decode reads a stored record back, as far as folding it again needs it.
// customers finds the id behind a handle, for the events that name one.
func (c *codec) decode(seq uint64, raw []byte, s *symbols, customers func(engine.Handle) string) (engine.Record, error) {
	epoch, number := c.epoch, seq // of the line in which it was made
	w, err := wire.DecodeRecord(raw)
	for moved, ok := w.(*wire.Moved); ok && err == nil; moved, ok = w.(*wire.Moved) {
		epoch, number = moved.Epoch, moved.Seq
		w, err = wire.DecodeRecord(moved.Body)
	}
	if err != nil {
		return engine.Record{}, err
	}
	first := w
	if sealed, ok := w.(*wire.Sealed); ok {
		inner, err := c.keys.Open(engine.Handle(sealed.Handle), sealedAs(number), sealed.Body)
		if errors.Is(err, store.ErrNoKey) {
			return engine.Record{}, errNotMind
		}
		if err != nil {
			return engine.Record{}, err
		}
		if w, err = wire.DecodeRecord(inner); err != nil {
			return engine.Record{}, err
		}
	}
	r, err := c.fromWire(epoch, w, s, customers)
	if sealed, ok := first.(*wire.Sealed); ok && r.Identified != nil {
		r.Handle = engine.Handle(sealed.Handle) // none where it names whom a receipt is about
	}
	r.Seq = seq
	return r, err
}

func (c *codec) fromWire(of uint64, w wire.Record, s *symbols, customers func(engine.Handle) string) (engine.Record, error) {
	var bad error
	name := func(x wire.Sym) string {
		n, err := s.name(x)
		bad = errors.Join(bad, err)
		return n
	}
	record := func(at, happened int64, h wire.Handle, id, source string, body event.Body) engine.Record {
		e := &event.Event{At: sense.Instant(at), HasAt: true, Happened: sense.Instant(happened), ID: id, Source: source, Session: event.MainSession, Body: body}
		return engine.Record{At: e.At, Handle: engine.Handle(h), Event: e}
	}
	who := func(h wire.Handle) string {
		if h.IsNone() {
			return ""
		}
		return customers(engine.Handle(h))
	}
	var r engine.Record
	switch w := w.(type) {
	case *wire.Decision:
		r = c.decisionBack(of, w, name)
	case *wire.Identified:
		h := engine.Handle(w.Handle)
		r = engine.Record{At: sense.Instant(w.At), Handle: h, Identified: &engine.Identified{Handle: h, Customer: string(w.Sealed), By: event.By(w.By)}}
	case *wire.Outcome:
		epoch := w.Epoch
		if epoch == 0 {
			epoch = of
		}
		r = record(w.At, w.Happened, w.Handle, w.ID, w.Source, &event.Outcome{Outcome: name(w.Outcome), Decision: c.decisionOf(cmp.Or(w.Device, c.device), epoch, w.N), Slot: name(w.Slot)})
		if n := name(w.Session); n != "" {
			r.Event.Session = n
		}
	case *wire.Fact:
		r = record(w.At, w.Happened, w.Handle, w.ID, w.Source, &event.Fact{Name: name(w.Name), Customer: who(w.Handle), Owner: w.Owner, Value: w.Value.Value, Provenance: event.Provenance(w.Provenance)})
	case *wire.Consent:
		r = record(w.At, w.Happened, w.Handle, w.ID, w.Source, &event.Consent{Purpose: name(w.Purpose), Customer: who(w.Handle), Granted: w.Granted, Text: w.Text, Expires: toNever(w.Expires)})
	case *wire.Objection:
		r = record(w.At, w.Happened, w.Handle, w.ID, w.Source, &event.Objection{Purpose: name(w.Purpose), Customer: who(w.Handle), Raised: w.Raised})
	case *wire.Restrict:
		r = record(w.At, w.Happened, w.Handle, w.ID, w.Source, &event.Restrict{Customer: who(w.Handle), On: w.On})
	case *wire.Interaction:
		r = record(w.At, w.Happened, w.Handle, w.ID, w.Source, &event.Interaction{Kind: name(w.What), Customer: who(w.Handle), About: event.Subject(w.About), Channel: name(w.Channel), Ref: w.Ref, Value: w.Value.Value, Due: toNever(w.Due)})
	case *wire.Forgotten:
		r = record(w.At, w.At, w.Handle, w.ID, "", &event.Forget{Customer: who(w.Handle)})
		r.Erased = w.Erased
	default:
		return engine.Record{}, errNotMind
	}
	return r, bad
}

func (c *codec) decisionBack(epoch uint64, w *wire.Decision, name func(wire.Sym) string) engine.Record {
	d := &engine.Decision{
		At: sense.Instant(w.At), ID: c.decisionID(epoch, w.N), N: w.N, Session: name(w.Session), Slot: name(w.Slot), Asked: w.Asked, Action: name(w.Action),
		Cause: name(w.Cause), Value: w.Value, Propensity: int64(w.Propensity), Probability: int64(w.Probability), Moment: w.Moment,
	}
	if epoch != c.epoch {
		d.N = 0 // it counts in the line in which it was made
	}
	if int(w.Treatment) < len(treatments) {
		d.Treatment = treatments[w.Treatment]
	}
	if d.Action == "" {
		d.Action = silence
	}
	for _, i := range w.Inputs {
		d.Uses = append(d.Uses, name(i.Name))
	}
	if len(w.Price) == 2 {
		d.Priced, d.Price, d.Normal = true, w.Price[0], w.Price[1]
	}
	for _, l := range w.Listed {
		d.List = append(d.List, engine.Ranked{Action: name(l)})
	}
	for _, l := range w.Losers {
		reason, _ := catalog.ParseReason(name(l.Reason)) // a reason of a newer version is none that is known here
		d.Rejected = append(d.Rejected, engine.Rejected{Action: name(l.Action), Stage: catalog.Stage(l.Stage), Reason: reason})
	}
	sort.Slice(d.Rejected, func(a, b int) bool { return d.Rejected[a].Action < d.Rejected[b].Action })
	return engine.Record{At: d.At, Handle: engine.Handle(w.Handle), Decision: d}
}

// opener opens stored records for sending. hubKey is nil while it is not known
// for whom to seal: then what names a customer waits, and all behind it.
func (c *codec) opener(hubKey func() []byte) outbox.Opener {
	return func(seq uint64, record []byte) ([]byte, outbox.Verdict, string) {
		if k := wire.Kind(record[0]); (k == wire.KindSealed || k == wire.KindMoved) && c.withheld.has(seq) {
			return nil, outbox.Remove, wire.TombWithdrawn
		}
		return c.openStored(seq, record, hubKey)
	}
}

// openStored opens a record that has the number seq in the line in which it was made.
func (c *codec) openStored(seq uint64, record []byte, hubKey func() []byte) ([]byte, outbox.Verdict, string) {
	if len(record) == 0 {
		return nil, outbox.Quarantine, wire.TombCorrupt
	}
	switch wire.Kind(record[0]) {
	case wire.KindForgotten:
		return c.forgottenForHub(record)
	case wire.KindMoved:
		return c.movedForHub(record, hubKey)
	case wire.KindSealed:
	default:
		return record, outbox.Send, ""
	}
	var sealed wire.Sealed
	if wire.DecodeInto(record, &sealed) != nil {
		return nil, outbox.Quarantine, wire.TombCorrupt
	}
	if c.withheld.waits(engine.Handle(sealed.Handle), c.keys) {
		return nil, outbox.Leave, ""
	}
	inner, err := c.keys.Open(engine.Handle(sealed.Handle), sealedAs(seq), sealed.Body)
	switch {
	case errors.Is(err, store.ErrNoKey):
		return nil, outbox.Remove, wire.TombErased
	case err != nil:
		return nil, outbox.Quarantine, wire.TombCorrupt
	}
	if sealed.Was != wire.KindIdentified {
		return inner, outbox.Send, ""
	}
	return c.identifiedForHub(seq, inner, hubKey())
}

// movedForHub opens what was taken over from an epoch left: within it, the record is the same bytes
// that went to the hub under its old number, if it went, so that the hub knows it again.
func (c *codec) movedForHub(record []byte, hubKey func() []byte) ([]byte, outbox.Verdict, string) {
	var m wire.Moved
	if wire.DecodeInto(record, &m) != nil {
		return nil, outbox.Quarantine, wire.TombCorrupt
	}
	body, verdict, reason := c.openStored(m.Seq, m.Body, hubKey)
	if verdict != outbox.Send {
		return nil, verdict, reason
	}
	m.Body = body
	raw, err := wire.AppendRecord(nil, &m)
	if err != nil {
		return nil, outbox.Quarantine, wire.TombRefused
	}
	return raw, outbox.Send, ""
}

// moved is what stands in a new epoch for a stored record of the one left. What may not be sent any
// more is left behind, and its number is accounted for.
func (c *codec) moved(epoch, seq uint64, record []byte, at sense.Instant) ([]byte, error) {
	if k := wire.Kind(record[0]); (k == wire.KindSealed || k == wire.KindMoved) && c.withheld.has(seq) {
		var sealed wire.Sealed // of which a Moved tells nothing
		_ = wire.DecodeInto(record, &sealed)
		stone, err := wire.AppendRecord(nil, &wire.Tombstone{At: int64(at), Was: cmp.Or(sealed.Was, k), Reason: wire.TombWithdrawn})
		if err != nil {
			return nil, err
		}
		record = stone
	}
	if inner, deep := innermost(record); deep >= mostMoved {
		return inner, nil
	}
	return wire.AppendRecord(nil, &wire.Moved{Epoch: epoch, Seq: seq, Body: record})
}

// mostMoved is how many epochs a record tells of that it went through; beyond, of the first alone.
const mostMoved = 6

// innermost returns the Moved that a record was when it was moved first, and how often it was.
func innermost(record []byte) (inner []byte, deep int) {
	for len(record) > 0 && wire.Kind(record[0]) == wire.KindMoved {
		var m wire.Moved
		if wire.DecodeInto(record, &m) != nil {
			break
		}
		inner, record = record, m.Body
		deep++
	}
	return inner, deep
}

// forgottenForHub lets a receipt go once the key is gone, and keeps the tombstones here: they are
// for this device alone.
func (c *codec) forgottenForHub(record []byte) ([]byte, outbox.Verdict, string) {
	var f wire.Forgotten
	if wire.DecodeInto(record, &f) != nil {
		return record, outbox.Send, "" // the hub keeps what it cannot read
	}
	if !f.Handle.IsNone() && c.keys.Has(engine.Handle(f.Handle)) {
		return nil, outbox.Leave, ""
	}
	f.Erased = nil
	raw, err := wire.AppendRecord(nil, &f)
	if err != nil {
		return nil, outbox.Quarantine, wire.TombRefused
	}
	return raw, outbox.Send, ""
}

func (c *codec) identifiedForHub(seq uint64, inner, hubKey []byte) ([]byte, outbox.Verdict, string) {
	if hubKey == nil {
		return nil, outbox.Leave, ""
	}
	var w wire.Identified
	if wire.DecodeInto(inner, &w) != nil {
		return nil, outbox.Quarantine, wire.TombCorrupt
	}
	sealed, err := c.sealToHub(hubKey, w.Handle, string(w.Sealed), sealedAs(seq))
	if err != nil {
		return nil, outbox.Leave, ""
	}
	w.Sealed = sealed
	raw, err := wire.AppendRecord(nil, &w)
	if err != nil {
		return nil, outbox.Quarantine, wire.TombRefused
	}
	return raw, outbox.Send, ""
}

// sealToHub seals a customer's id. The entropy is a secret function of all that
// is sealed and of why, so that the same record is sent twice as the same bytes,
// and no two texts share it.
func (c *codec) sealToHub(hubKey []byte, h wire.Handle, customer, why string) ([]byte, error) {
	m := hmac.New(sha256.New, c.secret[:])
	for _, part := range [][]byte{[]byte("seal to hub 1"), hubKey, h[:], []byte(customer), []byte(why)} {
		m.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		m.Write([]byte{':'})
		m.Write(part)
	}
	return wire.SealToHub(hubKey, [32]byte(m.Sum(nil)), h, customer)
}
