package policy

import _ "embed"

//go:embed grammar.txt
var grammar string

// Grammar is the help for authors: every key of a policy with an example. The
// examples are one policy that compiles.
func Grammar() string { return grammar }
