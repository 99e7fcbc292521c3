package moment

// RouseAll lets the step just begun look at everything, as if all of it were due.
func (s *State) RouseAll() {
	for _, c := range s.sessions {
		s.rouse(c)
		c.turn(s)
	}
}
