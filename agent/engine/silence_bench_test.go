package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// BenchmarkSilence is a step for which a free slot with 200 candidates is judged again, and says nothing once more.
func BenchmarkSilence(b *testing.B) {
	var own strings.Builder
	own.WriteString("signals: {rain: {type: bool, max_age: 1d}, heat: {type: double, max_age: 1d}}\nslots: {board: {channel: board, unasked: true}}\nactions:\n")
	for k := range 200 {
		fmt.Fprintf(&own, "\ta%03d: {intent: information, slots: [board], applicable: \"rain && heat > %d.0\", value: 5.00, propensity: 0.5, bother: 0.05, say: {en: \"A\", nl: \"A\"}}\n", k, k)
	}
	for _, poor := range []string{"x: {", `y: {applicable: "rain", `} { // what is never worth it keeps the cause, what comes and goes calls for judging
		own.WriteString("\t" + poor + "intent: information, slots: [board], value: 0.01, propensity: 0.5, bother: 0.05, say: {en: \"A\", nl: \"A\"}}\n")
	}
	d := deskOf(b, own.String())
	d.tell(annaTaps, `{"signal":"heat","value":-1}`)
	in := Input{At: d.now, Events: []event.Event{{Session: event.MainSession, HasAt: true, Body: &event.Signal{Name: "rain"}}}}
	rain := in.Events[0].Body.(*event.Signal)
	b.ReportAllocs()
	for k := 0; b.Loop(); k++ {
		in.At++
		in.Events[0].At, in.Events[0].Happened, rain.Value = in.At, in.At, sense.BoolValue(k%2 == 0)
		if o := d.mind.Step(in); len(o.Show) > 0 {
			b.Fatal("something was said")
		}
	}
}
