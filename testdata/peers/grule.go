package peers

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hyperjumptech/grule-rule-engine/ast"
	"github.com/hyperjumptech/grule-rule-engine/builder"
	"github.com/hyperjumptech/grule-rule-engine/logger"
	"github.com/hyperjumptech/grule-rule-engine/pkg"
	"github.com/sirupsen/logrus"
)

// Grule keeps its working memory: expressions that many rules have are evaluated once, and an update resets only
// those over the variables that changed. (Its FetchMatchingRules resets all, and is four times as slow.)
type Grule struct {
	*wrapper
	facts     ast.IDataContext
	base      *ast.KnowledgeBase
	rules     []*ast.RuleEntry         // by rank
	variables map[string]*ast.Variable // those that rules read
	now       *gruleNow
	set       set
}

// The facts; grule reads the fields of a struct.
type (
	gruleNow    struct{ Now float64 }
	gruleNumber struct{ Lo, Hi float64 }
	gruleWord   struct{ Is string }
	gruleFlag   struct{ Yes, No bool }
)

var gruleFields = map[string]string{"lo": ".Lo", "hi": ".Hi", "": ".Is", "yes": ".Yes", "no": ".No"}

// NewGrule builds the knowledge base of a workload; that of 10,000 actions takes a quarter of a minute and a gigabyte.
func NewGrule(w *Workload) (*Grule, error) {
	quiet := logrus.New()
	quiet.Level = logrus.ErrorLevel
	ast.SetLogger(quiet)
	builder.SetLogger(quiet)
	logger.SetLogLevel(logger.ErrorLevel)

	e := &Grule{wrapper: wrap(w), facts: ast.NewDataContext(), variables: map[string]*ast.Variable{}, now: &gruleNow{}, set: newSet(w)}
	if err := e.load(w); err != nil {
		return nil, err
	}
	numbers, words, flags := map[variable]*gruleNumber{}, map[variable]*gruleWord{}, map[variable]*gruleFlag{}
	add := func(name string, fact any) {
		// It refuses nothing but what is no pointer to a struct.
		if err := e.facts.Add(name, fact); err != nil {
			panic(err)
		}
	}
	e.number = func(v variable, lo, hi float64) {
		fact := numbers[v]
		if fact == nil {
			fact = &gruleNumber{}
			numbers[v] = fact
			add(v.String(), fact)
		}
		if fact.Lo != lo {
			fact.Lo = lo
			e.changed(v, "lo")
		}
		if fact.Hi != hi {
			fact.Hi = hi
			e.changed(v, "hi")
		}
	}
	e.word = func(v variable, s string) {
		fact := words[v]
		if fact == nil {
			fact = &gruleWord{}
			words[v] = fact
			add(v.String(), fact)
		}
		if fact.Is != s {
			fact.Is = s
			e.changed(v, "")
		}
	}
	e.flag = func(v variable, yes, no bool) {
		fact := flags[v]
		if fact == nil {
			fact = &gruleFlag{}
			flags[v] = fact
			add(v.String(), fact)
		}
		if fact.Yes != yes {
			fact.Yes = yes
			e.changed(v, "yes")
		}
		if fact.No != no {
			fact.No = no
			e.changed(v, "no")
		}
	}
	add("T", e.now)
	e.reset()
	e.base.InitializeContext(e.facts)
	return e, nil
}

// load builds the rules, and finds their variables.
func (e *Grule) load(w *Workload) error {
	t := text{w: w, now: "T.Now", side: func(v variable, side string) string { return v.String() + gruleFields[side] }}
	var all strings.Builder
	for rank, k := range w.ByRank {
		fmt.Fprintf(&all, "rule R%d salience %d { when %s then Retract(\"R%d\"); }\n", rank, w.Actions[k].Score, t.write(&w.Actions[k].Condition), rank)
	}
	library := ast.NewKnowledgeLibrary()
	if err := builder.NewRuleBuilder(library).BuildRuleFromResource("peers", "1", pkg.NewBytesResource([]byte(all.String()))); err != nil {
		return fmt.Errorf("build rules of grule: %w", err)
	}
	// Instances are clones, for use by several at once; this one has the base for itself.
	e.base = library.GetKnowledgeBase("peers", "1")
	e.rules = make([]*ast.RuleEntry, len(w.Actions))
	for rank := range e.rules {
		e.rules[rank] = e.base.RuleEntries["R"+strconv.Itoa(rank)]
		if e.rules[rank] == nil {
			return fmt.Errorf("grule has no rule R%d", rank)
		}
		e.find(e.rules[rank].WhenScope.Expression)
	}
	return nil
}

func (e *Grule) find(x *ast.Expression) {
	if x == nil {
		return
	}
	e.find(x.LeftExpression)
	e.find(x.RightExpression)
	e.find(x.SingleExpression)
	for atom := x.ExpressionAtom; atom != nil; atom = atom.ExpressionAtom {
		if atom.Variable != nil {
			e.variables[atom.Variable.GrlText] = atom.Variable
		}
	}
}

// changed resets what the working memory holds over a part of a variable.
func (e *Grule) changed(v variable, side string) {
	if x := e.variables[v.String()+gruleFields[side]]; x != nil {
		e.base.WorkingMemory.ResetVariable(x)
	}
}

func (e *Grule) Name() string { return "grule" }

func (e *Grule) Update(attribute int32, v Value, now int64) {
	e.now.Now = float64(now)
	if x := e.variables["T.Now"]; x != nil {
		e.base.WorkingMemory.ResetVariable(x)
	}
	e.update(attribute, v, now)
	ctx := context.Background()
	for rank, r := range e.rules {
		can, err := r.Evaluate(ctx, e.facts, e.base.WorkingMemory)
		e.set.put(rank, err == nil && can)
	}
}

// Anew forgets all that the working memory holds, so that the next update evaluates everything.
func (e *Grule) Anew() { e.base.WorkingMemory.ResetAll() }

func (e *Grule) Eligible(dst []int32) []int32 { return e.set.list(dst) }
func (e *Grule) Best() int32                  { return e.set.best() }
