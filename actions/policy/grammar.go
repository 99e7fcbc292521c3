package policy

import _ "embed"

var (
	//go:embed grammar.txt
	grammar string
	//go:embed conditions.txt
	conditions string
)

// Grammar is the help for authors: every key of a policy with an example. The
// examples are one policy that compiles.
func Grammar() string { return grammar }

// Conditions is the help for authors on conditions: every operator and function with
// an example that compiles in the policy of Grammar.
func Conditions() string { return conditions }
