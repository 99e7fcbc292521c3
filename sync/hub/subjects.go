package hub

import "strings"

// subjects finds what touches a subject without looking at everything: the same, what it lies below, and what lies
// below it. A name without a type touches itself alone.
type subjects struct {
	at    map[string][]int // places, by subject
	below map[string][]int // and by each that a subject lies below
	names []string         // of the places, where somebody needs them
}

// add notes that at a place there is something about a subject.
func (x *subjects) add(about string, place int) {
	if x.at == nil {
		x.at, x.below = map[string][]int{}, map[string][]int{}
	}
	x.at[about] = append(x.at[about], place)
	above(about, func(s string) { x.below[s] = append(x.below[s], place) })
}

// touching appends the places of all that touches a subject, each once.
func (x *subjects) touching(places []int, about string) []int {
	places = append(places, x.at[about]...)
	above(about, func(s string) { places = append(places, x.at[s]...) })
	return append(places, x.below[about]...)
}

// above calls f for every subject that one lies below: hotel:rome/suite below hotel:rome.
func above(about string, f func(string)) {
	typed := strings.IndexByte(about, ':')
	for k := len(about) - 1; k > typed && typed >= 0; k-- {
		if about[k] == '/' {
			f(about[:k])
		}
	}
}
