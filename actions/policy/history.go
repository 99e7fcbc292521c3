package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// meanings are the words of `means`, by the history function that they feed.
var meanings = map[string]catalog.Means{
	"bought": catalog.MeansBought, "booked": catalog.MeansBooked, "asked": catalog.MeansAsked, "answered": catalog.MeansAnswered,
	"complained": catalog.MeansComplained, "contacted": catalog.MeansContacted, "viewed": catalog.MeansViewed,
}

// meansByName is what a kind means where its author does not say.
var meansByName = map[string]catalog.Means{
	"purchase": catalog.MeansBought, "booking": catalog.MeansBooked, "question": catalog.MeansAsked, "answer": catalog.MeansAnswered,
	"complaint": catalog.MeansComplained, "contact": catalog.MeansContacted, "view": catalog.MeansViewed,
}

// declareKinds adds the kinds that others name in undone_by, open_until and
// closed_by: they are declared thereby.
func (c *compiler) declareKinds() {
	declared := map[string]bool{}
	for _, e := range c.sections["interactions"] {
		declared[e.name] = true
	}
	for _, e := range slices.Clone(c.sections["interactions"]) {
		if !e.val.isMap() {
			continue
		}
		for k := 0; k+1 < len(e.val.node.Content); k += 2 {
			if !slices.Contains([]string{"undone_by", "open_until", "closed_by"}, e.val.node.Content[k].Value) {
				continue
			}
			for _, n := range namesIn(e.val.node.Content[k+1]) {
				if n.Value != "" && !declared[n.Value] {
					declared[n.Value] = true
					at := value{e.val.file, n}
					c.sections["interactions"] = append(c.sections["interactions"], entry{name: n.Value, key: at})
				}
			}
		}
	}
	for _, at := range c.handOvers() {
		if !declared[handOverKind] {
			declared[handOverKind] = true
			c.sections["interactions"] = append(c.sections["interactions"], entry{name: handOverKind, key: at})
		}
	}
	slices.SortStableFunc(c.sections["interactions"], func(a, b entry) int { return strings.Compare(a.name, b.name) })
}

// handOverKind is the kind of interaction as which a hand-over to a person is kept. It is declared
// where a policy hands over.
const handOverKind = "hand_over"

// handOvers are the places where a policy hands over to a person.
func (c *compiler) handOvers() []value {
	var list []value
	for _, e := range c.sections["actions"] {
		if v, ok := c.actionHas(e, "hands_over"); ok {
			list = append(list, v)
		}
	}
	for _, e := range c.sections["strikes"] {
		if e.name == "at" {
			list = append(list, e.key)
		}
	}
	return list
}

// keepHandOvers says how long, and for what, a hand-over is held that nobody declared: as what it
// tells of, for what the actions that hand over are for.
func (c *compiler) keepHandOvers() {
	n, ok := slices.BinarySearch(c.names["interactions"], handOverKind)
	if !ok || c.sections["interactions"][n].val.node != nil {
		return
	}
	k := &c.b.Kinds[n]
	k.Keep = 2 * sense.Year
	for _, e := range c.sections["actions"] {
		_, hands := c.actionHas(e, "hands_over")
		intent, _ := c.actionHas(e, "intent")
		of, has := c.actionHas(e, "purpose")
		recovers := intent.node != nil && (intent.node.Value == "recovery" || intent.node.Value == "handoff")
		if !has || of.node == nil || !hands && !(recovers && len(c.sections["strikes"]) > 0) {
			continue
		}
		if p, known := slices.BinarySearch(c.names["purposes"], of.node.Value); known {
			k.Purposes |= 1 << uint(p)
		}
	}
	for _, other := range c.b.Kinds {
		if other.Negative && len(c.sections["strikes"]) > 0 {
			k.Purposes |= other.Purposes
			k.Keep = max(k.Keep, other.Keep)
		}
	}
	for p := range c.b.Purposes {
		if k.Purposes == 0 && c.b.Purposes[p].Basis == catalog.BasisContract {
			k.Purposes = 1 << uint(p) // the first of them
		}
	}
}

// namesIn returns the scalars that name things: the value, the elements of a list, the keys of a map.
func namesIn(n *yaml.Node) []*yaml.Node {
	switch n.Kind {
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	case yaml.SequenceNode:
		var list []*yaml.Node
		for _, x := range n.Content {
			if x.Kind == yaml.ScalarNode {
				list = append(list, x)
			}
		}
		return list
	case yaml.MappingNode:
		var list []*yaml.Node
		for k := 0; k < len(n.Content); k += 2 {
			list = append(list, n.Content[k])
		}
		return list
	}
	return nil
}

// kinds reads the kinds of interactions.
func (c *compiler) kinds() {
	c.b.Kinds = make([]catalog.Kind, len(c.sections["interactions"]))
	for k := range c.b.Kinds {
		c.b.Kinds[k] = catalog.Kind{Name: c.sections["interactions"][k].name, OpenUntil: -1, ClosedBy: -1, Overdue: sense.Forever}
	}
	for k, e := range c.sections["interactions"] {
		if e.val.node != nil {
			c.kind(&c.b.Kinds[k], e)
		}
	}
	// A kind that is declared by being named is held as long as, and for what, the one that names it is.
	for k := range c.b.Kinds {
		from := &c.b.Kinds[k]
		for _, to := range closers(from) {
			if c.sections["interactions"][to].val.node == nil {
				c.b.Kinds[to].Keep = max(c.b.Kinds[to].Keep, from.Keep)
				c.b.Kinds[to].Purposes |= from.Purposes
			}
		}
	}
	c.keepHandOvers()
}

func closers(k *catalog.Kind) []int32 {
	var list []int32
	for _, u := range k.Undo {
		list = append(list, u.Kind)
	}
	for _, n := range []int32{k.OpenUntil, k.ClosedBy} {
		if n >= 0 {
			list = append(list, n)
		}
	}
	return list
}

func (c *compiler) kind(k *catalog.Kind, e entry) {
	f := c.fields(e.key, e.val, "interaction "+e.name, kindKeys...)
	names := c.names["interactions"]
	if v, ok := f.get("keep"); ok {
		k.Keep = c.duration(v, "keep")
	} else {
		c.fail(e.key, "keep_missing", "say how long it is held, as in keep: 2y", "interaction %s has no keep", e.name)
	}
	if v, ok := f.get("purposes"); ok {
		k.Purposes = c.purposeSet(v)
	} else {
		c.fail(e.key, "purposes_missing", "an interaction says what it is held for: purposes: [...]", "interaction %s has no purposes", e.name)
	}
	k.Means = meansByName[e.name]
	if v, ok := f.get("means"); ok {
		if word, ok := c.word(v, "means", "bought", "booked", "asked", "answered", "complained", "contacted", "viewed"); ok {
			k.Means = meanings[word]
		}
	}
	if v, ok := f.get("negative"); ok {
		k.Negative = c.boolean(v, "negative")
	}
	if v, ok := f.get("blocks"); ok {
		c.blocks(k, f.key("blocks"), v)
	}
	if v, ok := f.get("undone_by"); ok {
		c.undo(k, v)
	}
	if v, ok := f.get("reaches"); ok {
		if _, ok := c.word(v, "reaches", "goal"); ok {
			k.ReachesGoal = true
		}
	}
	if v, ok := f.get("open_until"); ok {
		k.OpenUntil = c.reference(v, "open_until", "interaction", names)
	}
	if v, ok := f.get("cool_off"); ok {
		k.CoolOff = c.duration(v, "cool_off")
		if k.OpenUntil < 0 {
			c.fail(f.key("cool_off"), "cool_off_without_open", "add open_until: resolved", "cool_off runs from the close, and %s is never open", e.name)
		}
	}
	if v, ok := f.get("closed_by"); ok {
		k.ClosedBy = c.reference(v, "closed_by", "interaction", names)
	}
	if v, ok := f.get("overdue_after"); ok {
		k.Overdue = c.duration(v, "overdue_after")
	}
	if v, ok := f.get("worth"); ok {
		k.Worth = c.micro(v, "worth", -mostMoney, mostMoney)
		c.idle(f.key("worth"), "worth", "what an interaction is worth is not summed up")
	}
}

// blocks reads {offer_of: same_or_kind, again: {grocery: 7d}}.
func (c *compiler) blocks(k *catalog.Kind, key, v value) {
	f := c.fields(key, v, "blocks", blocksKeys...)
	if of, ok := f.get("offer_of"); !ok {
		c.fail(key, "missing_key", "offer_of: same, or same_or_kind", "blocks does not say which offers")
	} else if word, ok := c.word(of, "offer_of", "same", "same_or_kind"); ok {
		k.BlocksOffers, k.SameKind = true, word == "same_or_kind"
	}
	again, ok := f.get("again")
	if !ok {
		return
	}
	for _, e := range c.entries(again, "again") {
		k.Again = append(k.Again, catalog.AgainAfter{Type: e.name, After: c.duration(e.val, "again "+e.name)})
	}
	slices.SortFunc(k.Again, func(a, b catalog.AgainAfter) int { return strings.Compare(a.Type, b.Type) })
}

// undo reads a name, a list of names, or names with a delay.
func (c *compiler) undo(k *catalog.Kind, v value) {
	add := func(name value, after sense.Duration) {
		if n := c.reference(name, "undone_by", "interaction", c.names["interactions"]); n >= 0 {
			k.Undo = append(k.Undo, catalog.UndoneBy{Kind: n, After: after})
		}
	}
	switch {
	case v.isNull() || v.isScalar():
		add(v, 0)
	case v.isMap():
		for _, e := range c.entries(v, "undone_by") {
			add(e.key, c.duration(e.val, "undone_by "+e.name))
		}
	default:
		for _, x := range c.list(v, "undone_by") {
			add(x, 0)
		}
	}
	slices.SortFunc(k.Undo, func(a, b catalog.UndoneBy) int { return int(a.Kind - b.Kind) })
}

// kindsByMeaning groups the kinds by the history function that they feed.
func (c *compiler) kindsByMeaning() map[string][]*symbol {
	by := map[string][]*symbol{}
	for _, s := range c.symbols {
		if s.what != aKind {
			continue
		}
		for word, means := range meanings {
			if c.b.Kinds[s.index].Means == means {
				by[word] = append(by[word], s)
			}
		}
	}
	return by
}

func (c *compiler) subjects() {
	for _, e := range c.sections["subjects"] {
		f := c.fields(e.key, e.val, "subject "+e.name, subjectKeys...)
		s := catalog.SubjectInfo{Name: e.name}
		if v, ok := f.get("kind"); ok {
			s.Kind, _ = c.text(v, "kind")
		}
		if v, ok := f.get("sensitive"); ok {
			s.Sensitive, _ = c.text(v, "sensitive")
		}
		c.b.Subjects = append(c.b.Subjects, s)
	}
}

func (c *compiler) measures() {
	for _, e := range c.sections["measures"] {
		f := c.fields(e.key, e.val, "measure "+e.name, measureKeys...)
		m := catalog.Measure{Name: e.name, From: -1}
		if v, ok := f.get("from"); ok {
			m.From = c.reference(v, "from", "interaction", c.names["interactions"])
		} else {
			c.fail(e.key, "missing_key", "name the interaction that it is read from", "measure %s has no from", e.name)
		}
		if v, ok := f.get("control"); ok {
			m.Control = c.micro(v, "control", 0, catalog.One)
		}
		c.b.Measures = append(c.b.Measures, m)
	}
}
