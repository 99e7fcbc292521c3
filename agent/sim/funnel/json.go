package funnel

import (
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// AppendJSON appends the funnel as one object without a line end: decision (the
// contract's line), stages, worth and inputs; nothing is left out, null where there is none.
func (f *Funnel) AppendJSON(b []byte) []byte {
	b = f.Decision.AppendJSON(append(b, `{"decision":`...), -1)
	b = append(b, `,"stages":[`...)
	for k := range f.Stages {
		s := &f.Stages[k]
		if k > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"stage":"`...), s.Stage.String()...), `","entered":`...)
		b = strconv.AppendInt(b, int64(s.Entered), 10)
		b = strconv.AppendInt(append(b, `,"fell":`...), int64(len(s.Fallen)), 10)
		b = append(b, `,"candidates":[`...)
		for n := range s.Fallen {
			if n > 0 {
				b = append(b, ',')
			}
			b = s.Fallen[n].AppendJSON(b)
		}
		b = append(b, "]}"...)
	}
	b = append(b, `],"worth":`...)
	b = f.Worth.appendJSON(b)
	b = append(b, `,"inputs":[`...)
	for k := range f.Inputs {
		if k > 0 {
			b = append(b, ',')
		}
		b = f.Inputs[k].appendJSON(b)
	}
	return append(b, "]}"...)
}

func (w *Worth) appendJSON(b []byte) []byte {
	if w == nil {
		return append(b, "null"...)
	}
	for k, p := range []struct {
		key string
		n   catalog.Micro
	}{{"value", w.Value}, {"propensity", w.Propensity}, {"lever", w.Lever}, {"group_lever", w.GroupLever}, {"bother", w.Bother}, {"expected", w.Expected}} {
		b = append(b, "{,"[min(k, 1)])
		b = append(append(append(b, '"'), p.key...), `":`...)
		b = sense.AppendMicro(b, p.n, 6)
	}
	return append(strconv.AppendBool(append(b, `,"mandatory":`...), w.Mandatory), '}')
}

func (in *Input) appendJSON(b []byte) []byte {
	b = sense.AppendText(append(b, `{"name":`...), in.Name)
	if !in.Known {
		return append(b, `,"what":null,"value":null,"age":null,"why":null}`...)
	}
	b = sense.AppendText(append(b, `,"what":`...), in.What)
	b = in.Value.AppendJSON(append(b, `,"value":`...))
	b = append(b, `,"age":`...)
	if in.Age == catalog.NoAge {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(in.Age), 10)
	}
	b = append(b, `,"why":`...)
	if in.Why == catalog.NoReason {
		return append(b, "null}"...)
	}
	return append(sense.AppendText(b, in.Why.String()), '}')
}
