package moments

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// An export is JSON lines, a decision's moment each, in the clear.
type line struct {
	Decision string   `json:"decision"`
	At       string   `json:"at"`
	Bundle   string   `json:"bundle"` // SHA-256 of the policy in charge
	Action   string   `json:"action"`
	Cause    string   `json:"cause,omitempty"`
	Value    int64    `json:"value_micro"`
	Line     string   `json:"line_sha256"` // its first half
	Rejected [][3]any `json:"rejected"`    // stage, reason, how many one after the other
	Moment   string   `json:"moment"`      // base64
}

// maxLine is the longest line of an export in bytes.
const maxLine = 4 << 20

// AppendExport appends a record as a line of an export with its newline.
func AppendExport(b []byte, r *Record) []byte {
	l := line{Decision: r.Decision, At: r.At.String(), Action: r.Said.Action, Cause: r.Said.Cause, Value: r.Said.Value,
		Line: hex.EncodeToString(r.Said.Line[:]), Rejected: [][3]any{}, Moment: base64.StdEncoding.EncodeToString(r.Moment)}
	if hash, err := engine.FrozenBundle(r.Moment); err == nil {
		l.Bundle = hex.EncodeToString(hash[:])
	}
	for _, f := range r.Said.Rejected {
		l.Rejected = append(l.Rejected, [3]any{f.Stage.String(), f.Reason.String(), f.Count})
	}
	raw, err := json.Marshal(&l)
	if err != nil {
		return b // texts and numbers always marshal
	}
	return append(append(b, raw...), '\n')
}

// ReadExport hands over the records of an export until yield wants no more. Its error names the line that is
// none, and is ErrRecord then.
func ReadExport(in io.Reader, yield func(Record) bool) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(lines.Bytes()) == 0 {
			continue
		}
		r, err := readLine(lines.Bytes())
		if err != nil {
			return fmt.Errorf("read line %d of the moments: %w: %w", n, err, ErrRecord)
		}
		if !yield(r) {
			return nil
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("read line %d of the moments: it is longer than %d bytes: %w", n+1, maxLine, ErrRecord)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read moments: %w", err)
	}
	return nil
}

func readLine(raw []byte) (r Record, err error) {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return r, errors.New("it is no line of an export, which GET /v1/moments of a device gives")
	}
	if r.At, err = sense.ParseInstant(l.At); err != nil {
		return r, err
	}
	r.Decision = l.Decision
	r.Said = Said{Action: l.Action, Cause: l.Cause, Value: l.Value}
	sum, err := hex.DecodeString(l.Line)
	if err != nil || len(sum) != len(r.Said.Line) {
		return r, errors.New("line_sha256 is no hash")
	}
	copy(r.Said.Line[:], sum)
	total := 0
	for _, x := range l.Rejected {
		f, err := fellOf(x)
		if err != nil {
			return r, err
		}
		if total += f.Count; total > 1<<16 {
			return r, errors.New("rejected counts too many")
		}
		r.Said.Rejected = append(r.Said.Rejected, f)
	}
	if r.Moment, err = base64.StdEncoding.DecodeString(l.Moment); err != nil {
		return r, errors.New("moment is not base64")
	}
	return r, nil
}

func fellOf(x [3]any) (f Fell, err error) {
	stage, _ := x[0].(string)
	reason, _ := x[1].(string)
	count, _ := x[2].(float64)
	for s := catalog.StageQuiet; s <= catalog.StageTreatment; s++ {
		if s.String() == stage {
			f.Stage = s
		}
	}
	known := false
	f.Reason, known = catalog.ParseReason(reason)
	if f.Stage == 0 || !known || count < 1 || count > 1<<16 {
		return f, fmt.Errorf("rejected holds %v, which is no stage, reason and count", x)
	}
	f.Count = int(count)
	return f, nil
}
