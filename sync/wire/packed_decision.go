package wire

import (
	"encoding/binary"
	"slices"
)

// What a decision's block has behind its head. What is absent is as said.
const (
	decAsked       = 1 << iota
	decWide        // the head is wide
	decSession     // main
	decTreatment   // say with an action, none without
	decProbability // 1
	decCause       // none
	decHandle      // none
	decMoment      // zero
	decInputs      // none, and so the next four
	decLosers
	decRest
	decListed
	decPrice
	decKnown // and all above: bits that are not given
)

// The head is what every decision has: the instant, the number, slot, action, value and
// propensity. Nearly always it is narrow, 21 bytes at fixed places; wide it is the
// instant in 8 bytes, a number, two names and two signed ones.
const narrowHead = 21

// mainSession is the session that is not written.
const mainSession = "main"

const certain = 1_000_000 // a probability of 1

// agesInline is the first age class that takes a byte of its own behind its input.
const agesInline = 7

func (r *Decision) plain() *bool { return &r.schema1 }

// usualTreatment is the one that is not written.
func usualTreatment(action *Sym) uint8 {
	if action.IsNone() {
		return TreatmentNone
	}
	return TreatmentSay
}

// check says whether what the block holds is within its limits; the names of inputs and losers
// are looked at where they are written.
func (r *Decision) check() error {
	if n := max(len(r.Inputs), len(r.Rest), len(r.Listed)); n > maxBlockList {
		return tooLarge("list", n, maxBlockList)
	}
	if len(r.Losers) > maxLosers {
		return tooLarge("losers", len(r.Losers), maxLosers)
	}
	if len(r.Price) > maxPrices {
		return tooLarge("prices", len(r.Price), maxPrices)
	}
	long := max(len(r.Session.Name), len(r.Slot.Name), len(r.Action.Name), len(r.Cause.Name))
	for k := range r.Rest {
		long = max(long, len(r.Rest[k].Reason.Name))
	}
	for k := range r.Listed {
		long = max(long, len(r.Listed[k].Name))
	}
	return checkName(long)
}

func checkName(n int) error {
	if n > MaxName {
		return tooLarge("symbol", n, MaxName)
	}
	return nil
}

// appendFields appends the block and the tail, or what the record was read as.
func (r *Decision) appendFields(b []byte) ([]byte, error) {
	if r.schema1 {
		return appendFields(b, r)
	}
	if err := r.check(); err != nil {
		return b, err
	}
	b, start := openBlock(b, &r.Tail)
	has := uint16(0)
	if r.Asked {
		has |= decAsked
	}
	b = append(b, 0, 0)
	if slot, action := nameCode(&r.Slot), nameCode(&r.Action); r.isNarrow(slot, action) {
		b = r.appendNarrow(b, slot, action)
	} else {
		has |= decWide
		b = appendNumber(appendInstant(b, r.At, true), r.N)
		b = appendName(appendName(b, &r.Slot), &r.Action)
		b = appendSigned(appendSigned(b, r.Value), int64(r.Propensity))
	}
	if r.Session.ID != 0 || r.Session.Name != mainSession {
		has |= decSession
		b = appendName(b, &r.Session)
	}
	if r.Treatment != usualTreatment(&r.Action) {
		has |= decTreatment
		b = append(b, r.Treatment)
	}
	if r.Probability != certain {
		has |= decProbability
		b = appendSigned(b, certain-int64(r.Probability))
	}
	if !r.Cause.IsNone() {
		has |= decCause
		b = appendWord(b, &r.Cause)
	}
	if !r.Handle.IsNone() {
		has |= decHandle
		b = append(b, r.Handle[:]...)
	}
	if r.Moment != [8]byte{} {
		has |= decMoment
		b = append(b, r.Moment[:]...)
	}
	b, lists, err := r.appendLists(b)
	if err != nil {
		return b, err
	}
	binary.LittleEndian.PutUint16(b[start:], has|lists)
	return closeBlock(b, start, &r.Tail)
}

func (r *Decision) isNarrow(slot, action uint64) bool {
	return !wideInstant(r.At) && r.N < 1<<32 && slot != 1 && slot < 1<<16 && action != 1 && action < 1<<16 &&
		r.Value == int64(int32(r.Value)) && uint32(r.Propensity-NoPropensity) < 1<<24
}

func (r *Decision) appendNarrow(b []byte, slot, action uint64) []byte {
	b = slices.Grow(b, narrowHead+3)
	h, le := b[len(b):len(b)+narrowHead+3], binary.LittleEndian
	binary.BigEndian.PutUint64(h[0:], uint64(r.At)<<16)
	le.PutUint64(h[6:], r.N|slot<<32|action<<48)
	le.PutUint64(h[14:], uint64(uint32(r.Value))|uint64(r.Propensity-NoPropensity)<<32)
	return b[:len(b)+narrowHead]
}

// readHead reads what isNarrow and appendNarrow, or appendFields, wrote.
func (r *Decision) readHead(b []byte, wide bool) []byte {
	if wide {
		r.At, b = instant(b, true)
		r.N, b = number(b)
		b = r.Action.readName(r.Slot.readName(b))
		r.Value, b = signed(b)
		var p int64
		if p, b = signed(b); p != int64(int32(p)) {
			return nil
		}
		r.Propensity = int32(p)
		return b
	}
	if len(b) < narrowHead {
		return nil
	}
	le := binary.LittleEndian
	r.At = int64(binary.BigEndian.Uint64(b) >> 16)
	mid := le.Uint64(b[6:])
	r.N = mid & (1<<32 - 1)
	slot, action := uint32(mid>>32&0xffff), uint32(mid>>48)
	if slot == 1 || action == 1 {
		return nil
	}
	r.Slot, r.Action = symOf(slot), symOf(action)
	r.Value = int64(int32(le.Uint32(b[14:])))
	r.Propensity = int32(uint32(b[18])|uint32(b[19])<<8|uint32(b[20])<<16) + NoPropensity
	return b[narrowHead:]
}

// symOf is the symbol of a code other than 1.
func symOf(code uint32) Sym {
	if code == 0 {
		return Sym{}
	}
	return Sym{ID: code - firstSym + 1}
}

// appendLists says as well which of them are there.
func (r *Decision) appendLists(b []byte) (all []byte, has uint16, err error) {
	if len(r.Inputs) > 0 {
		has |= decInputs
		if b, err = appendInputs(b, r.Inputs); err != nil {
			return b, has, err
		}
	}
	if len(r.Losers) > 0 {
		has |= decLosers
		if b, err = appendLosers(b, r.Losers); err != nil {
			return b, has, err
		}
	}
	if len(r.Rest) > 0 {
		has |= decRest
		b = appendCount(b, len(r.Rest), false)
		for k := range r.Rest {
			c := &r.Rest[k]
			b = appendWord(append(b, byte(c.Stage)), &c.Reason)
			b = appendNumber(b, uint64(c.N))
		}
	}
	if len(r.Listed) > 0 {
		has |= decListed
		b = appendCount(b, len(r.Listed), false)
		for k := range r.Listed {
			b = appendName(b, &r.Listed[k])
		}
	}
	if len(r.Price) > 0 {
		has |= decPrice
		b = appendCount(b, len(r.Price), false)
		for _, p := range r.Price {
			b = appendSigned(b, p)
		}
	}
	return b, has, nil
}

// appendInputs: a narrow one is two bytes, least significant first, of the age (3 bits) and the
// code of its name; else the same as a number, and behind it the age from 7 on and the name.
func appendInputs(b []byte, list []Input) ([]byte, error) {
	start := len(b)
	b = slices.Grow(appendCount(b, len(list), true), 2*len(list))
	room := b[len(b) : len(b)+2*len(list)]
	for k := range list {
		in := &list[k]
		if in.Name.ID-1 >= 1<<13-firstSym || in.Age >= agesInline {
			return appendWideInputs(b[:start], list)
		}
		binary.LittleEndian.PutUint16(room[2*k:], uint16((in.Name.ID-1+firstSym)<<3|uint32(in.Age)))
	}
	return b[:len(b)+len(room)], nil
}

func appendWideInputs(b []byte, list []Input) ([]byte, error) {
	b = appendCount(b, len(list), false)
	for k := range list {
		in := &list[k]
		if err := checkName(len(in.Name.Name)); err != nil {
			return b, err
		}
		b = appendNumber(b, nameCode(&in.Name)<<3|uint64(min(in.Age, agesInline)))
		if in.Age >= agesInline {
			b = append(b, byte(in.Age))
		}
		b = appendText(b, &in.Name)
	}
	return b, nil
}

// appendLosers: a narrow one is the code of its name in two bytes, its stage, and the code of its
// reason in a byte; else name, stage and word.
func appendLosers(b []byte, list []Loser) ([]byte, error) {
	start := len(b)
	b = appendCount(b, len(list), true)
	b = slices.Grow(b, 4*len(list))
	room := b[len(b) : len(b)+4*len(list)]
	for k := range list {
		l := &list[k]
		word := wordCode(&l.Reason)
		if l.Action.ID-1 >= 1<<16-firstSym || word == 1 || word >= 1<<8 {
			return appendWideLosers(b[:start], list)
		}
		binary.LittleEndian.PutUint32(room[4*k:], l.Action.ID-1+firstSym|uint32(l.Stage)<<16|uint32(word)<<24)
	}
	return b[:len(b)+len(room)], nil
}

func appendWideLosers(b []byte, list []Loser) ([]byte, error) {
	b = appendCount(b, len(list), false)
	for k := range list {
		l := &list[k]
		if err := checkName(max(len(l.Action.Name), len(l.Reason.Name))); err != nil {
			return b, err
		}
		b = appendName(b, &l.Action)
		b = appendWord(append(b, byte(l.Stage)), &l.Reason)
	}
	return b, nil
}

func (r *Decision) readBlock(raw []byte) error {
	if len(raw) < 2 {
		return wholeBlock(KindDecision, nil)
	}
	has, b := binary.LittleEndian.Uint16(raw), raw[2:]
	if has >= decKnown { // of a version that breaks the promise that a block is closed
		return wholeBlock(KindDecision, nil)
	}
	r.Asked = has&decAsked != 0
	b = r.readHead(b, has&decWide != 0)
	r.Session.ID, r.Session.Name = 0, mainSession
	if has&decSession != 0 {
		b = r.Session.readName(b)
	}
	r.Treatment = usualTreatment(&r.Action)
	if has&decTreatment != 0 {
		r.Treatment, b = oneByte(b)
	}
	r.Probability = certain
	if has&decProbability != 0 {
		var v int64
		if v, b = signed(b); certain-v != int64(uint32(certain-v)) {
			b = nil
		}
		r.Probability = uint32(certain - v)
	}
	r.Cause.ID, r.Cause.Name = 0, ""
	if has&decCause != 0 {
		b = r.Cause.readWord(b)
	}
	r.Handle, r.Moment = Handle{}, [8]byte{}
	var head []byte
	if has&decHandle != 0 {
		head, b = cut(b, len(r.Handle))
		copy(r.Handle[:], head)
	}
	if has&decMoment != 0 {
		head, b = cut(b, len(r.Moment))
		copy(r.Moment[:], head)
	}
	return wholeBlock(KindDecision, r.readLists(b, has))
}

func (r *Decision) readLists(b []byte, has uint16) []byte {
	r.Inputs, r.Losers, r.Rest, r.Listed, r.Price = r.Inputs[:0], r.Losers[:0], r.Rest[:0], r.Listed[:0], r.Price[:0]
	if has < decInputs {
		return b
	}
	n := 0
	if has&decInputs != 0 {
		b = r.readInputs(b)
	}
	if has&decLosers != 0 {
		b = r.readLosers(b)
	}
	if has&decRest != 0 {
		n, b = wideCount(b, maxBlockList)
		r.Rest = sizedList(r.Rest, n)
		for k := range r.Rest {
			c, stage := &r.Rest[k], byte(0)
			stage, b = oneByte(b)
			c.Stage = Stage(stage)
			b = c.Reason.readWord(b)
			c.N, b = number32(b)
		}
	}
	if has&decListed != 0 {
		n, b = wideCount(b, maxBlockList)
		r.Listed = sizedList(r.Listed, n)
		for k := range r.Listed {
			b = r.Listed[k].readName(b)
		}
	}
	if has&decPrice != 0 {
		n, b = wideCount(b, maxPrices)
		r.Price = sizedList(r.Price, n)
		for k := range r.Price {
			r.Price[k], b = signed(b)
		}
	}
	return b
}

func (r *Decision) readInputs(b []byte) []byte {
	n, narrow, b := count(b, maxBlockList)
	list := sizedList(r.Inputs, n)
	r.Inputs = list
	if narrow {
		raw, b := cut(b, 2*n)
		for k := 0; k < len(list) && len(raw) >= 2; k++ {
			v := binary.LittleEndian.Uint16(raw)
			if raw = raw[2:]; v>>3 < firstSym || v&7 == agesInline {
				return nil
			}
			in := &list[k]
			in.Name.ID, in.Age = uint32(v>>3)-firstSym+1, AgeClass(v&7)
			if in.Name.Name != "" { // a look is cheaper than to write a pointer
				in.Name.Name = ""
			}
		}
		return b
	}
	for k := range r.Inputs {
		in := &r.Inputs[k]
		var v uint64
		v, b = number(b)
		if in.Age = AgeClass(v & 7); in.Age == agesInline {
			var age byte
			age, b = oneByte(b)
			in.Age = AgeClass(age)
		}
		b = in.Name.readCode(b, v>>3)
	}
	return b
}

func (r *Decision) readLosers(b []byte) []byte {
	n, narrow, b := count(b, maxLosers)
	list := sizedList(r.Losers, n)
	r.Losers = list
	if narrow {
		raw, b := cut(b, 4*n)
		for k := 0; k < len(list) && len(raw) >= 4; k++ {
			code, stage, word := binary.LittleEndian.Uint16(raw), raw[2], raw[3]
			if raw = raw[4:]; code < firstSym || word == 1 {
				return nil
			}
			l := &list[k]
			l.Action, l.Stage = Sym{ID: uint32(code) - firstSym + 1}, Stage(stage)
			if word < firstWord {
				l.Reason = Sym{Name: wordOf[word]} // none for 0
			} else {
				l.Reason = Sym{ID: uint32(word) - firstWord + 1}
			}
		}
		return b
	}
	for k := range r.Losers {
		l, stage := &r.Losers[k], byte(0)
		b = l.Action.readName(b)
		stage, b = oneByte(b)
		l.Stage = Stage(stage)
		b = l.Reason.readWord(b)
	}
	return b
}
