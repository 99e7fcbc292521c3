package engine

import (
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// notAhead brings what the hub says happened later than it is here to the present: clocks differ by
// milliseconds at the least, and nothing happens after it is heard of. A complaint holds at once, and
// not from an instant on at which nobody looks.
func notAhead(s *profile.Slice, now sense.Instant) {
	for k := range s.Interactions {
		s.Interactions[k].Happened = min(s.Interactions[k].Happened, now)
	}
}
