package scenario

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/hub"
)

// refusals are the codes for which an event is not taken in.
var refusals = map[string]bool{"invalid_value": true, "special_inferred": true, "erased": true}

// refusalOf returns the code of a refusal; empty where it has none.
func refusalOf(err error) string {
	switch {
	case errors.Is(err, catalog.ErrSpecialInferred), errors.Is(err, hub.ErrInferred):
		return "special_inferred"
	case errors.Is(err, engine.ErrErased), errors.Is(err, hub.ErrErased):
		return "erased"
	case errors.Is(err, catalog.ErrInvalidValue), errors.Is(err, hub.ErrInvalid):
		return "invalid_value"
	}
	return ""
}

// refused looks whether an event was refused as its line says. It returns what goes
// wrong: an error where the event was to be taken and was not.
func (r *runner) refused(line int, code string, err error) {
	switch {
	case code == "" && err != nil:
		r.stop(line, fmt.Errorf("the event was refused: %w", err))
	case code == "":
	default:
		r.result.Checks++
		happened := "the event was taken"
		if err != nil {
			happened = "refused: " + err.Error()
		}
		if refusalOf(err) != code {
			r.result.Failures = append(r.result.Failures, Failure{Line: line, Text: strings.TrimSpace(r.file.Lines[line-1]), Expected: "to be refused because " + code, Happened: happened})
		}
	}
}

// policy reads `the policy DIR is good`, `... is refused because CODE "text"` and
// `... is warned of because CODE "text"`.
func (r *reader) policy(e *expectation) {
	e.kind, e.name = expectPolicy, r.next("the folder of the policy")
	if !r.is("is") {
		r.fail("say what becomes of it: the policy %s is refused because CODE", e.name)
	}
	switch {
	case r.is("good"):
		e.yes = true
		return
	case r.is("refused"):
		e.text = policy.Error
	case len(r.words) > 1 && r.words[0] == "warned" && r.words[1] == "of":
		r.words = r.words[2:]
		e.text = policy.Warning
	default:
		r.fail("after is comes `good`, `refused because CODE` or `warned of because CODE`")
	}
	if !r.is("because") {
		r.fail("say why: because CODE")
	}
	e.reason.word = r.next("the code of the finding")
	if len(r.words) > 0 && strings.HasPrefix(r.words[0], `"`) {
		e.reason.text = r.quoted()
	}
}

// onlyCompiles says whether a scenario only looks at policies, and so needs none itself.
func (s *Scenario) onlyCompiles() bool {
	return len(s.steps) > 0 && !slices.ContainsFunc(s.steps, func(s step) bool { return s.expect == nil || s.expect.kind != expectPolicy })
}

// compiles looks whether a policy is good, or is refused or warned of as the line says.
func (r *runner) compiles(e *expectation) outcome {
	bundle, findings, err := r.compile(e.name)
	if err != nil {
		return outcome{happened: err.Error()}
	}
	var told []string
	for _, f := range findings {
		told = append(told, f.String())
		if !e.yes && f.Severity == e.text && f.Code == e.reason.word && strings.Contains(f.Message+"\n"+f.Hint, e.reason.text) {
			return outcome{ok: e.text == policy.Error == (bundle == nil), happened: "a bundle was made all the same"}
		}
	}
	switch {
	case len(findings) == 0:
		return outcome{ok: e.yes, happened: "nothing was found in it"}
	case e.yes:
		return outcome{happened: "found in it: " + strings.Join(told, "; ")}
	}
	return outcome{happened: "other findings: " + strings.Join(told, "; ")}
}

// compile compiles a policy whose folder is written relative to the scenario file.
func (r *runner) compile(dir string) (*catalog.Bundle, []policy.Finding, error) {
	if dir == noPolicy {
		return nil, nil, nil
	}
	dir = filepath.FromSlash(dir)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(r.file.Name), dir)
	}
	return r.policies.Get(dir)
}

// become puts another policy in charge.
func (r *runner) become(dir string) error {
	bundle, findings, err := r.compile(dir)
	switch {
	case err != nil:
		return err
	case bundle == nil:
		return fmt.Errorf("policy %s has %d findings, the first: %s", dir, len(findings), findings[0])
	}
	return r.stage.load(bundle)
}
