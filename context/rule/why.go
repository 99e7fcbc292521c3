package rule

import "github.com/tact-edge/tact/context/sense"

// causes remembers why nodes are unknown while one question is answered, so that what many conditions share is
// looked at once.
type causes struct {
	question uint32
	depth    int
	asked    []uint32 // by node: the question for which it is known
	found    []mark
}

// why returns why a node that is counted is unknown: of And and Or the leftmost argument that is, errors last.
func (e *Eval) why(n Node) mark {
	c := &e.shared.causes
	if c.asked == nil {
		c.asked, c.found = make([]uint32, len(e.plan.Program.Nodes)), make([]mark, len(e.plan.Program.Nodes))
	}
	if c.question++; c.question == 0 {
		clear(c.asked)
		c.question = 1
	}
	c.depth = 0
	return e.cause(n)
}

// deepest is how far why follows arguments down. Deeper programs, which no author writes, are gone through from below.
const deepest = 1000

func (e *Eval) cause(n Node) mark {
	op := &e.plan.Program.Nodes[n]
	if e.plan.slot[n] >= 0 || op.Code == Load || op.Code == Const {
		return *e.mark(n)
	}
	c := &e.shared.causes
	if c.asked[n] == c.question {
		return c.found[n]
	}
	if c.depth == deepest {
		c.depth = 0
		for k := range n { // arguments stand before what reads them
			if e.plan.Program.Nodes[k].Kind == sense.Bool && e.Truth(k) == Unknown {
				e.cause(k)
			}
		}
		c.depth = deepest - 1
	}
	var m mark
	c.depth++
	switch op.Code {
	case Not:
		m = e.cause(op.Args[0])
	case And, Or:
		m = e.causeAmong(op.Args)
	default:
		m = e.causeOfArguments(op)
	}
	c.depth--
	c.asked[n], c.found[n] = c.question, m
	return m
}

// causeAmong returns the first cause that is no error, else the first.
func (e *Eval) causeAmong(args []Node) (failed mark) {
	for _, a := range args {
		if e.Truth(a) != Unknown {
			continue
		}
		m := e.cause(a)
		if m.cause != Failed {
			return m
		}
		if failed.cause == Known {
			failed = m
		}
	}
	return failed
}

// causeOfArguments returns why a comparison is unknown.
func (e *Eval) causeOfArguments(op *Op) mark {
	a, b := e.cell(op.Args[0]), e.cell(op.Args[1])
	if m := missing(op.Code, &a.mark, &b.mark); m != nil {
		return *m
	}
	return mark{cause: Failed, input: -1}
}
