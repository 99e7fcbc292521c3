package chance

import "strings"

// later are keys and words that the compiler does not take yet.
var later = map[string]bool{
	"weights": true, "price": true, "normal": true, "disclose": true, "completes": true, "quality": true, "at": true, "valid": true, "hours": true, "follows": true, "after": true,
	"else_after": true, "partner": true, "significant": true, "household": true, "hands_over": true, "least_age": true, "basis: none": true, "between": true, "in_past": true, "format": true,
	"max_text": true, "strikes": true, "sleeping_after": true, "questions": true, "exempt: {caps": true, "latch": true, "pauses": true, "waits": true, "volume": true,
	"exists": true,
}

func landed(keys []string) []string {
	var all []string
	for _, k := range keys {
		name, _, _ := strings.Cut(k, ":")
		if !later[name] && !later[k] && !strings.HasPrefix(k, "exempt: {caps") {
			all = append(all, k)
		}
	}
	return all
}
