//go:build race

package update

func init() { underRace = true }
