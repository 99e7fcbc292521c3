package catalog

import "slices"

// Symbols returns every name that a record may hold, in order, each once: the
// index of a name is its symbol in records of this bundle.
func Symbols(b *Bundle) []string {
	var names []string
	for k := range b.Purposes {
		names = append(names, b.Purposes[k].Name)
	}
	for k := range b.Signals {
		names = append(names, b.Signals[k].Name)
	}
	for k := range b.Derived {
		names = append(names, b.Derived[k].Name)
	}
	for k := range b.Facts {
		names = append(names, b.Facts[k].Name)
	}
	for k := range b.Kinds {
		names = append(names, b.Kinds[k].Name)
	}
	for k := range b.Places {
		names = append(names, b.Places[k].Name)
	}
	for k := range b.States {
		names = append(names, b.States[k].Name)
	}
	for k := range b.Measures {
		names = append(names, b.Measures[k].Name)
	}
	for k := range b.Slots {
		names = append(names, b.Slots[k].Name, b.Slots[k].Channel)
	}
	for k := range b.Groups {
		names = append(names, b.Groups[k].Name)
	}
	used := map[string]bool{} // the same few names are used by many actions
	use := func(uses []string) {
		for _, name := range uses {
			if !used[name] {
				used[name] = true
				names = append(names, name)
			}
		}
	}
	for k := range b.Actions {
		a := &b.Actions[k]
		names = append(names, a.Name)
		use(a.Uses)
		for _, t := range [...]*Treatment{a.Say, a.SayPersonal} {
			if t != nil {
				use(t.Uses)
			}
		}
	}
	for k := range b.Program.Inputs {
		names = append(names, b.Program.Inputs[k].Name)
	}
	slices.Sort(names)
	return slices.Clone(slices.Compact(names)) // kept for as long as the bundle
}
