package wire

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
	"github.com/tact-edge/tact/context/sense"
)

// Batch is a run of records of one bundle: Records[k] has number First+k of the epoch.
type Batch struct {
	Version uint8 // schema version of envelope and records; 0 on encoding means SchemaVersion
	Device  string
	Boot    uint64
	Epoch   uint64
	First   uint64
	Bundle  BundleID // whose symbols the records use; zero for none
	Clock   sense.ClockState
	Records [][]byte // each as AppendRecord made it
}

// packFrom is the number of records from which a batch is compressed.
const packFrom = 8

// Packer encodes batches; it holds one compressor (fastest level, window 64 KiB).
// Equal batches give equal bytes. A Packer is used by one goroutine at a time.
type Packer struct {
	enc  *zstd.Encoder
	body []byte
}

// Unpacker decodes batches; it holds one decompressor, which devices do not link. An
// Unpacker is used by one goroutine at a time.
type Unpacker struct{ dec *zstd.Decoder }

// NewPacker makes a packer.
func NewPacker() (*Packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("make packer: %w", err)
	}
	return &Packer{enc: enc}, nil
}

// NewUnpacker makes an unpacker.
func NewUnpacker() (*Unpacker, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(MaxBody))
	if err != nil {
		return nil, fmt.Errorf("make unpacker: %w", err)
	}
	return &Unpacker{dec: dec}, nil
}

// Encode makes the message of a batch. A message over MaxMessage is ErrTooLarge:
// send fewer records.
func (p *Packer) Encode(b *Batch) ([]byte, error) {
	n := len(b.Records)
	if n == 0 || n > MaxRecords {
		return nil, fmt.Errorf("encode batch: %w", tooLarge("number of records", n, MaxRecords))
	}
	if b.First == 0 || b.First+uint64(n) < b.First {
		return nil, fmt.Errorf("encode batch: first is %d, numbers begin at 1: %w", b.First, ErrMalformed)
	}
	e := envelope{Version: b.Version, Device: b.Device, Boot: b.Boot, Epoch: b.Epoch, First: b.First, N: uint32(n), Bundle: b.Bundle, Clock: uint8(b.Clock)}
	if e.Version == 0 {
		e.Version = SchemaVersion
	}
	p.body = p.body[:0]
	for _, r := range b.Records {
		p.body = append(p.body, r...)
	}
	if len(p.body) > MaxBody {
		return nil, fmt.Errorf("encode batch: %w", tooLarge("body", len(p.body), MaxBody))
	}
	e.Body = p.body
	if n >= packFrom {
		if packed := p.enc.EncodeAll(p.body, nil); len(packed) < len(p.body) {
			e.Codec, e.Body = uint8(Zstd), packed
		}
	}
	msg, err := e.MarshalMsg(nil)
	if err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	if len(msg) > MaxMessage {
		return nil, fmt.Errorf("encode batch of %d records: %w", n, tooLarge("message", len(msg), MaxMessage))
	}
	return msg, nil
}

// Decode reads the message of a batch. Each record is a whole, well-formed msgp
// array behind its kind byte; what is in it is DecodeRecord's business, so that
// one odd record does not spoil the others.
func (p *Unpacker) Decode(msg []byte) (*Batch, error) {
	if len(msg) > MaxMessage {
		return nil, fmt.Errorf("decode batch: %w", tooLarge("message", len(msg), MaxMessage))
	}
	rest, err := skip(msg, MaxDepth)
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("decode batch: not one array: %w", ErrMalformed)
	}
	var e envelope
	if _, err := e.UnmarshalMsg(msg); err != nil {
		return nil, fmt.Errorf("decode batch: %w: %w", ErrMalformed, err)
	}
	switch {
	case e.Version == 0:
		return nil, fmt.Errorf("decode batch: no version: %w", ErrMalformed)
	case e.N == 0 || e.N > MaxRecords:
		return nil, fmt.Errorf("decode batch: %w", tooLarge("number of records", int(e.N), MaxRecords))
	case e.First == 0 || e.First+uint64(e.N) < e.First:
		return nil, fmt.Errorf("decode batch: first %d: %w", e.First, ErrMalformed)
	case !ValidID(e.Device):
		return nil, fmt.Errorf("decode batch: device is not an id: %w", ErrMalformed)
	case e.Clock > uint8(sense.ClockSynced):
		return nil, fmt.Errorf("decode batch: clock state %d: %w", e.Clock, ErrMalformed)
	}
	body, err := p.unpack(Codec(e.Codec), e.Body)
	if err != nil {
		return nil, fmt.Errorf("decode batch: %w", err)
	}
	records, err := splitBody(body, int(e.N))
	if err != nil {
		return nil, fmt.Errorf("decode batch: %w", err)
	}
	return &Batch{Version: e.Version, Device: e.Device, Boot: e.Boot, Epoch: e.Epoch, First: e.First,
		Bundle: e.Bundle, Clock: sense.ClockState(e.Clock), Records: records}, nil
}

func (p *Unpacker) unpack(c Codec, body []byte) ([]byte, error) {
	switch c {
	case Plain:
		return body, nil // a copy already: msgp copies bytes
	case Zstd:
		out, err := p.dec.DecodeAll(body, nil)
		if err != nil {
			return nil, fmt.Errorf("decompress body: %w: %w", ErrMalformed, err)
		}
		if len(out) > MaxBody {
			return nil, tooLarge("body", len(out), MaxBody)
		}
		return out, nil
	}
	return nil, fmt.Errorf("codec %d is not known: %w", c, ErrMalformed)
}

// splitBody cuts a body into n records that share its memory.
func splitBody(body []byte, n int) ([][]byte, error) {
	records := make([][]byte, 0, n)
	for len(body) > 0 {
		if len(records) == n {
			return nil, fmt.Errorf("body holds more than %d records: %w", n, ErrMalformed)
		}
		if len(body) < 2 || !isArray(body[1]) {
			return nil, fmt.Errorf("record %d is no array: %w", len(records), ErrMalformed)
		}
		rest, err := skip(body[1:], MaxDepth)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(records), err)
		}
		size := len(body) - len(rest)
		if size > MaxRecord {
			return nil, fmt.Errorf("record %d: %w", len(records), tooLarge("record", size, MaxRecord))
		}
		records = append(records, body[:size:size])
		body = rest
	}
	if len(records) != n {
		return nil, fmt.Errorf("body holds %d records instead of %d: %w", len(records), n, ErrMalformed)
	}
	return records, nil
}

// isArray says whether a msgp value that begins with lead is an array.
func isArray(lead byte) bool { return lead&0xf0 == 0x90 || lead == 0xdc || lead == 0xdd }

// CheckRecord says whether raw is one well-formed record, as a batch wants it.
func CheckRecord(raw []byte) error {
	_, err := splitBody(raw, 1)
	return err
}
