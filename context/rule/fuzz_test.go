package rule_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// FuzzProgram makes programs from raw bytes: Check refuses them, or they evaluate without
// panic and as they would evaluated anew, in sessions that come and go, with candidates and watched conditions.
func FuzzProgram(f *testing.F) {
	f.Add([]byte{1, 1, 0, 0, 0, 3, 1, 0, 0, 1}, uint64(1))
	f.Add([]byte{0, 5, 9, 2, 255, 25, 6, 0, 0, 1, 11, 1, 1, 2, 0}, uint64(2))
	f.Add([]byte{0, 10, 0, 0, 0, 6, 0, 1, 2, 0, 0, 0, 0, 0, 53, 1, 0, 0, 0, 1, 1, 2, 51, 2, 0, 0, 0, 0, 0, 20, 2, 0, 0, 0, 0, 1, 1}, uint64(3))
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 4))
		p := Program{Inputs: []Input{
			{From: FromSignal, Kind: sense.Bool}, {From: FromSignal, Kind: sense.Double}, {From: FromSignal, Kind: sense.Int, Scope: ScopeSession},
			{From: FromInside, Kind: sense.Bool, Scope: ScopeSession}, {From: FromUntil, Kind: sense.Length, Scope: ScopeSession},
			{From: FromNow, Kind: sense.Timestamp}, {From: FromSignal, Kind: sense.List}, {From: FromFact, Kind: sense.Timestamp, Scope: ScopeSession}},
			Zones: []sense.Zone{{Name: "+01:00", Turns: []sense.Turn{{Offset: sense.Hour}}}}}
		next := func() int {
			if len(raw) == 0 {
				return 0
			}
			b := raw[0]
			raw = raw[1:]
			return int(b)
		}
		var node func(depth int) Op
		node = func(depth int) Op {
			op := Op{Code: Code(next()), Kind: sense.Kind(next() % 12), Scope: Scope(next() % 3), Input: int32(next()) - 1, For: sense.Duration(next()) * 100}
			if op.Code == Const {
				op.Value = constant(r, []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.String, sense.Length, sense.Timestamp, sense.List}[next()%7])
				op.Kind = op.Value.Kind()
			}
			if op.Code >= PartYear && op.Code <= PartMilliseconds {
				op.Zone = int32(next()%4) - 1
			}
			for range next() % 4 {
				op.Args = append(op.Args, Node(next()-1))
			}
			if op.Code >= Exists && depth < 4 {
				for range next() % 8 {
					op.Body = append(op.Body, node(depth+1))
				}
			}
			return op
		}
		for len(raw) > 0 && len(p.Nodes) < 80 {
			p.Nodes = append(p.Nodes, node(0))
		}
		keep := sharpInterest(r, &p)
		if len(p.Nodes) > 0 && seed%16 == 5 {
			keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{Node(len(p.Nodes))}})
			if _, err := NewPlan(&p, keep); err == nil {
				t.Fatal("a candidate needs a node that does not exist")
			}
			return
		}
		c, err := newCrowd(r, &p, keep, constant)
		if err != nil {
			return
		}
		for range r.IntN(3) {
			c.open()
		}
		if err := c.live(12, nil); err != nil {
			t.Fatal(err)
		}
	})
}
