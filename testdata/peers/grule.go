package peers

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hyperjumptech/grule-rule-engine/ast"
	"github.com/hyperjumptech/grule-rule-engine/builder"
	"github.com/hyperjumptech/grule-rule-engine/logger"
	"github.com/hyperjumptech/grule-rule-engine/pkg"
	"github.com/sirupsen/logrus"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Grule keeps its working memory: expressions that many rules have are evaluated once, and an update resets only
// those over the variables that changed; the time is one that always changes. (Its FetchMatchingRules resets all, and
// is several times as slow.) By hand it can be driven further, see Due.
type Grule struct {
	*wrapper
	facts     ast.IDataContext
	base      *ast.KnowledgeBase
	rules     []*ast.RuleEntry         // by rank
	variables map[string]*ast.Variable // those that rules read
	now       *float64
	byDue     bool
	over      [][]int32           // attribute -> predicates over it and time
	above     [][]*ast.Expression // predicate over time -> itself, its parts and all that contain it
	due       rule.Timers         // by predicate
	set       set
}

// gruleField is the field of the one fact that holds a variable, or its part yes or no. Every fact more would be a
// variable more, against whose name grule holds every expression as it loads.
func gruleField(v variable, side string) string {
	if side == "yes" || side == "no" {
		return v.String() + side
	}
	return v.String()
}

// NewGrule builds the knowledge base of a workload; that of 10,000 actions takes half a minute and a gigabyte.
func NewGrule(w *Workload) (*Grule, error) {
	quiet := logrus.New()
	quiet.Level = logrus.ErrorLevel
	ast.SetLogger(quiet)
	builder.SetLogger(quiet)
	logger.SetLogLevel(logger.ErrorLevel)

	e := &Grule{wrapper: wrap(w), facts: ast.NewDataContext(), variables: map[string]*ast.Variable{}, set: newSet(w),
		over: make([][]int32, len(w.Attributes)), above: make([][]*ast.Expression, len(w.Predicates)), due: rule.NewTimers(int32(len(w.Predicates)))}
	if err := e.load(w); err != nil {
		return nil, err
	}
	fact := reflect.New(reflect.StructOf(e.declare()))
	if err := e.facts.Add("F", fact.Interface()); err != nil {
		return nil, fmt.Errorf("add facts to grule: %w", err)
	}
	e.now = fact.Elem().FieldByName("Now").Addr().Interface().(*float64)
	numbers, words, flags := map[variable]*float64{}, map[variable]*string{}, map[string]*bool{}
	e.number = func(v variable, number float64) {
		if numbers[v] == nil {
			numbers[v] = fact.Elem().FieldByName(v.String()).Addr().Interface().(*float64)
		}
		*numbers[v] = number
		e.changed(v.String())
	}
	e.word = func(v variable, s string) {
		if words[v] == nil {
			words[v] = fact.Elem().FieldByName(v.String()).Addr().Interface().(*string)
		}
		*words[v] = s
		e.changed(v.String())
	}
	e.flag = func(v variable, yes, no bool) {
		for _, side := range []struct {
			name string
			is   bool
		}{{gruleField(v, "yes"), yes}, {gruleField(v, "no"), no}} {
			if flags[side.name] == nil {
				flags[side.name] = fact.Elem().FieldByName(side.name).Addr().Interface().(*bool)
			}
			*flags[side.name] = side.is
			e.changed(side.name)
		}
	}
	e.reset()
	e.base.InitializeContext(e.facts)
	return e, nil
}

// declare lists the fields of the fact: a kind a variable.
func (e *Grule) declare() []reflect.StructField {
	fields := []reflect.StructField{{Name: "Now", Type: reflect.TypeFor[float64]()}}
	add := func(name string, kind reflect.Type) {
		fields = append(fields, reflect.StructField{Name: name, Type: kind})
	}
	e.number = func(v variable, _ float64) { add(v.String(), reflect.TypeFor[float64]()) }
	e.word = func(v variable, _ string) { add(v.String(), reflect.TypeFor[string]()) }
	e.flag = func(v variable, _, _ bool) {
		add(gruleField(v, "yes"), reflect.TypeFor[bool]())
		add(gruleField(v, "no"), reflect.TypeFor[bool]())
	}
	e.reset()
	return fields
}

// load builds the rules, and finds their variables.
func (e *Grule) load(w *Workload) error {
	t := text{w: w, now: "F.Now", side: func(v variable, side string) string { return "F." + gruleField(v, side) }}
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
	return e.findTimed()
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

// findTimed finds what contains the predicates over time, which stand in a rule in the order of its condition.
func (e *Grule) findTimed() error {
	now := e.variables["F.Now"]
	var readsNow func(x *ast.Expression) bool
	readsNow = func(x *ast.Expression) bool {
		if x == nil {
			return false
		}
		for atom := x.ExpressionAtom; atom != nil; atom = atom.ExpressionAtom {
			if atom.Variable == now {
				return true
			}
		}
		return readsNow(x.LeftExpression) || readsNow(x.RightExpression) || readsNow(x.SingleExpression)
	}
	var timed []int32
	var within []*ast.Expression
	var visit func(x *ast.Expression)
	visit = func(x *ast.Expression) {
		if x == nil || !readsNow(x) {
			return
		}
		within = append(within, x)
		if x.Operator == ast.OpLT || x.Operator == ast.OpGTE {
			// The difference on its left is reset too.
			e.above[timed[0]] = append(append(e.above[timed[0]], x.LeftExpression), within...)
			timed = timed[1:]
		} else {
			visit(x.LeftExpression)
			visit(x.RightExpression)
			visit(x.SingleExpression)
		}
		within = within[:len(within)-1]
	}
	for rank, k := range e.w.ByRank {
		timed = timed[:0]
		e.w.Actions[k].Condition.leaves(func(p int32) {
			if e.w.Predicates[p].Form >= Recent {
				timed = append(timed, p)
			}
		})
		visit(e.rules[rank].WhenScope.Expression)
		if len(timed) > 0 {
			return fmt.Errorf("find what time turns in rule R%d: %d are missing", rank, len(timed))
		}
	}
	for k, all := range e.above {
		slices.SortFunc(all, func(a, b *ast.Expression) int { return strings.Compare(a.AstID, b.AstID) })
		if e.above[k] = slices.Compact(all); len(all) > 0 {
			a, _ := e.w.ReadsOf(&e.w.Predicates[k])
			e.over[a] = append(e.over[a], int32(k))
		}
	}
	return nil
}

// changed resets what the working memory holds over a field.
func (e *Grule) changed(field string) {
	if x := e.variables["F."+field]; x != nil {
		e.base.WorkingMemory.ResetVariable(x)
	}
}

func (e *Grule) Name() string {
	if e.byDue {
		return "grule+due"
	}
	return "grule"
}

// Due switches to and from what a careful user may write around grule: of the expressions over time, only those are
// reset that time turns by now, by a heap of the instants at which it does. It reaches into grule's expressions.
func (e *Grule) Due(yes bool) {
	e.byDue = yes
	for a := range e.over {
		e.dueOver(int32(a), int64(*e.now))
	}
}

func (e *Grule) dueOver(attribute int32, now int64) {
	for _, p := range e.over[attribute] {
		e.due.Set(p, e.turns(p, now))
	}
}

// resetDue resets what time turned by now.
func (e *Grule) resetDue(now int64) {
	for {
		p, ok := e.due.Pop(sense.Instant(now))
		if !ok {
			return
		}
		for _, x := range e.above[p] {
			x.Evaluated = false
		}
	}
}

func (e *Grule) Update(attribute int32, v Value, now int64) {
	*e.now = float64(now)
	e.update(attribute, v, now)
	if e.byDue {
		e.resetDue(now)
		e.dueOver(attribute, now)
	} else {
		e.changed("Now")
	}
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
