package guard

import "github.com/tact-edge/tact/actions/catalog"

// significantNeedsPerson (significant_needs_person): what weighs on somebody's life (a credit, a refusal)
// is decided by a person, never by a machine alone (GDPR art. 22); Tact only hands it over.
func significantNeedsPerson(v *View, c Candidate) Verdict {
	if !c.Action.Significant {
		return Verdict{}
	}
	return v.refuse(catalog.SignificantNeedsPerson, named(c.Action.Name))
}
