package sense

import (
	"fmt"
	"time"
)

// ParseDate reads 2026-03-02 as days since 1970-01-01.
func ParseDate(s string) (int64, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("date %q is not of the form 2026-03-02", s)
	}
	return t.Unix() / 86400, nil
}

// FormatDate prints days since 1970-01-01 as 2026-03-02.
func FormatDate(days int64) string {
	return time.Unix(days*86400, 0).UTC().Format(time.DateOnly)
}
