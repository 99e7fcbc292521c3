package engine

// Pass leaves out the next number of the sequence line, and returns it: the body has written a record of
// its own under it, a report for the hub.
func (m *Mind) Pass() uint64 {
	m.seq++
	return m.seq - 1
}
