package event

// Steps cuts a list of events in order of At into steps: events of one instant
// belong together until one that Closes, which ends the step before it and is a
// step of its own. The steps share the memory of events; no step is empty.
func Steps(events []Event) [][]Event {
	var steps [][]Event
	start := 0
	for k := range events {
		if k > start && (events[k].At != events[start].At || Closes(events[k].Body)) {
			steps = append(steps, events[start:k:k])
			start = k
		}
		if Closes(events[k].Body) {
			steps = append(steps, events[k:k+1:k+1])
			start = k + 1
		}
	}
	if start < len(events) {
		steps = append(steps, events[start:])
	}
	return steps
}
