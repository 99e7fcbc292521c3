package policy

import (
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Name is a signal or fact that a condition may read.
type Name struct {
	Name   string
	Kind   sense.Kind
	Elem   sense.Kind // of a list
	Person bool       // a signal about a person
	Fact   bool
	OneOf  []string
}

// CompileCondition compiles one condition over some names, which are numbered as
// given, signals and facts apart. It is what a test that compares with the
// cel-go evaluator needs; findings have line 1 and an empty file. What of CEL is
// not supported, Conditions says; each such thing is a finding with the code not_supported.
func CompileCondition(names []Name, text string) (rule.Program, rule.Node, []Finding, error) {
	return compileText(names, text, (*language).condition)
}

// CompileExpression is CompileCondition for a text of any type.
func CompileExpression(names []Name, text string) (rule.Program, rule.Node, []Finding, error) {
	return compileText(names, text, (*language).expression)
}

func compileText(names []Name, text string, compile func(*language, string) compiled) (rule.Program, rule.Node, []Finding, error) {
	var symbols []*symbol
	signals, facts := int32(0), int32(0)
	for _, n := range names {
		s := &symbol{name: n.Name, what: aSignal, index: signals, kind: n.Kind, elem: n.Elem, oneOf: n.OneOf, node: rule.None}
		if n.Fact {
			s.what, s.index, s.scope = aFact, facts, rule.ScopeSession
			facts++
		} else {
			signals++
			if n.Person {
				s.scope = rule.ScopeSession
			}
		}
		symbols = append(symbols, s)
	}
	l, err := newLanguage(symbols)
	if err != nil {
		return rule.Program{}, rule.None, nil, err
	}
	got := compile(l, text)
	var findings []Finding
	for _, m := range got.bad {
		findings = append(findings, Finding{Line: 1, Column: m.at + 1, Severity: Error, Code: m.code, Message: m.message, Hint: cure(m.code, m.hint)})
	}
	if got.node == rule.None {
		return rule.Program{}, rule.None, findings, nil
	}
	program, index := l.graph.program([]rule.Node{got.node})
	return program, index[got.node], findings, nil
}

// CEL returns the text of a condition as cel-go reads it: durations as calls.
func CEL(text string) string { return rewrite(text).text }
