package policy

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean returns a hint that names the closest of the known names, or lists
// them where they are few and none is close.
func didYouMean(name string, known []string) string {
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	best, least := "", len([]rune(name))/3+2
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %s?", best)
	case len(known) == 0:
		return ""
	case len(known) <= 12:
		return "known here: " + strings.Join(known, " ")
	}
	return ""
}

// cures say what to do where nothing nearer can be said.
var cures = map[string]string{
	"unknown_name":     "declare it: tact help policy shows where, and how",
	"unknown_function": "tact help conditions shows every function, with an example",
	"type_mismatch":    "tact help conditions shows what every operator and function takes, with an example",
	"not_supported":    "tact help conditions says what there is, and what there is not",
	"wrong_argument":   "tact help conditions shows every function, with an example",
	"wrong_number":     "write a number within these limits",
	"empty_value":      "write it, or leave the key out",
	"too_many":         "leave some of them out",
}

// cure is the hint of a finding; none is without.
func cure(code, hint string) string {
	switch {
	case hint != "":
		return hint
	case cures[code] != "":
		return cures[code]
	}
	return "tact help policy shows every key, with an example"
}

// distance is the number of edits (insert, delete, replace, swap of neighbours) between two words.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(x)][len(y)]
}
