package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

var channelName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// stateFields reads all of a state but its conditions.
func (c *compiler) stateFields(k int, e entry) *fields {
	f := c.fields(e.key, e.val, "state "+e.name, stateKeys...)
	s := &c.b.States[k]
	s.Name, s.Node = e.name, rule.None
	if v, ok := f.get("channels"); ok {
		s.Channels, _ = c.words(v, "channels")
		slices.Sort(s.Channels)
	}
	if v, ok := f.get("unknown"); ok {
		careful := "counts_as_" + e.name
		if e.name == catalog.StateAlone {
			careful = "not_alone"
		}
		c.word(v, "unknown", careful)
	}
	if v, ok := f.get("absent"); ok {
		word, _ := c.word(v, "absent", "allow", "forbid")
		s.AbsentAllow = word == "allow"
	}
	if _, ok := f.get("when"); !ok {
		c.fail(e.key, "missing_key", `as in when: "people == 1"`, "state %s has no when", e.name)
	}
	return f
}

// defineState compiles a state: true from when on, until `until`.
func (c *compiler) defineState(s *symbol, f *fields) {
	state := &c.b.States[s.index]
	s.broken = true
	when, ok := f.get("when")
	if !ok {
		return
	}
	got := c.condition(when, "when")
	node, reads := got.node, got.reads
	if until, ok := f.get("until"); ok {
		end := c.condition(until, "until")
		if node == rule.None || end.node == rule.None {
			return
		}
		node = c.latch(s.name, node, end.node)
		reads = append(slices.Clone(reads), end.reads...)
	}
	if node == rule.None {
		return
	}
	s.broken = false
	s.node, s.reads, s.scope = node, reads.distinct(), c.language.graph.nodes[node].Scope
	state.Node = node
	for _, m := range reads {
		if m.symbol != nil && m.symbol.what == aSignal && !slices.Contains(state.Inputs, m.symbol.index) {
			state.Inputs = append(state.Inputs, m.symbol.index)
		}
	}
	slices.Sort(state.Inputs)
}

// visitAndSession reads what a visit is, and when whoever is on the screen has gone.
func (c *compiler) visitAndSession() {
	c.b.VisitEnds = 10 * sense.Minute
	f := c.settings("visit", visitKeys...)
	if v, ok := f.get("ends_after"); ok {
		if c.b.VisitEnds = c.duration(v, "ends_after"); c.b.VisitEnds <= 0 {
			c.fail(v, "bad_duration", "as in 10m", "a visit that ends after nothing is none")
		}
	}
	if _, ok := c.keys["session"]; !ok {
		return
	}
	f = c.settings("session", sessionKeys...)
	s := &catalog.SessionEnd{Ends: rule.None, AtMost: sense.Forever}
	ends, hasEnds := f.get("ends")
	atMost, hasMost := f.get("at_most")
	if hasEnds {
		got := c.condition(ends, "ends")
		s.Ends, c.sessionReads = got.node, got.reads
	}
	if v, ok := f.get("after"); ok {
		s.After = c.duration(v, "after")
		if !hasEnds {
			c.fail(f.key("after"), "missing_key", `as in ends: "!presence"`, "after counts from ends, and the session has none")
		}
	}
	if hasMost {
		s.AtMost = c.duration(atMost, "at_most")
	}
	if !hasEnds && !hasMost {
		c.fail(c.keys["session"], "missing_key", `as in session: {ends: "!presence", after: 20s}`, "session does not say when it ends")
	}
	c.b.SessionEnd = s
}

// settings reads a section of fixed keys, which may stand in several files.
func (c *compiler) settings(section string, known ...string) *fields {
	f := &fields{at: c.keys[section]}
	for _, e := range c.sections[section] {
		if slices.Contains(known, e.name) {
			f.entries = append(f.entries, e)
		} else if why, later := notYet[e.name]; later {
			c.fail(e.key, "not_supported", "leave it out for now", "%s: %s is not supported yet", e.name, why)
		} else {
			c.fail(e.key, "unknown_key", didYouMean(e.name, known), "%s has no key %s", section, e.name)
		}
	}
	return f
}

var identities = []string{"passive", "code", "card", "login", "staff"}

func (c *compiler) identity(v value) event.By {
	word, _ := c.word(v, "least_identity", identities...)
	by, _ := event.ParseBy(word)
	return by
}

func (c *compiler) slots() {
	for _, e := range c.sections["slots"] {
		f := c.fields(e.key, e.val, "slot "+e.name, slotKeys...)
		s := catalog.Slot{Name: e.name, ShowFor: 30 * sense.Second, Fallback: -1}
		if v, ok := f.get("channel"); !ok {
			c.fail(e.key, "missing_key", "as in channel: kiosk, car or wearable", "slot %s has no channel", e.name)
		} else if word, ok := c.text(v, "channel"); ok {
			if !channelName.MatchString(word) {
				c.fail(v, "bad_name", "small letters, as in kiosk", "%q is no channel", word)
			}
			s.Channel = word
		}
		if v, ok := f.get("shared_screen"); ok {
			s.SharedScreen = c.boolean(v, "shared_screen")
		}
		if v, ok := f.get("unasked"); ok {
			s.Unasked = c.boolean(v, "unasked")
		}
		if v, ok := f.get("show_for"); ok {
			if s.ShowFor = c.duration(v, "show_for"); s.ShowFor <= 0 {
				c.fail(v, "bad_duration", "as in 15s", "what is shown for nothing is not seen")
			}
		}
		if v, ok := f.get("fallback"); ok {
			s.Fallback = c.reference(v, "fallback", "action", c.names["actions"])
		}
		if v, ok := f.get("minimum"); ok {
			s.Minimum = c.micro(v, "minimum", 0, mostMoney)
		}
		if v, ok := f.get("least_identity"); ok {
			s.LeastIdentity = c.identity(v)
		}
		if v, ok := f.get("max_text"); ok {
			s.MaxText = c.integer(v, "max_text", 1)
		}
		c.b.Slots = append(c.b.Slots, s)
	}
}

// checkSlots makes sure that what protects the people at a slot is declared.
func (c *compiler) checkSlots() {
	lost := slices.ContainsFunc(c.files, func(f *file) bool { return f.lost != "" })
	if lost {
		return // the missing part may stand in lines that could not be read
	}
	state := func(name string) *catalog.State {
		for k := range c.b.States {
			if c.b.States[k].Name == name {
				return &c.b.States[k]
			}
		}
		return nil
	}
	for k, e := range c.sections["slots"] {
		s := &c.b.Slots[k]
		if s.SharedScreen && c.b.SessionEnd == nil {
			c.fail(e.key, "session_missing", `as in session: {ends: "!presence", after: 20s, at_most: 10m}`, "slot %s is a shared screen, and the policy does not say when a session ends", e.name)
		}
		if s.SharedScreen && state(catalog.StateAlone) == nil {
			c.fail(e.key, "alone_missing", `as in states: alone: {when: "people == 1", unknown: not_alone}`, "slot %s is a shared screen, and the policy has no state alone", e.name)
		}
		driving := state(catalog.StateDriving)
		if s.Channel == "car" && (driving == nil || len(driving.Channels) > 0 && !slices.Contains(driving.Channels, "car")) {
			c.fail(e.key, "driving_missing", `as in states: driving: {when: "held(speed > 5) >= 3s", until: "held(speed < 7) >= 30s"}`, "slot %s is in a car, and the policy has no state driving for it", e.name)
		}
	}
}

var hourRange = regexp.MustCompile(`^([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])$`)

func (c *compiler) quiet() {
	c.b.Quiet.Pass = []catalog.Intent{catalog.Safety}
	f := c.settings("quiet", quietKeys...)
	if v, ok := f.get("hours"); ok {
		for _, x := range c.listOrOne(v, "hours") {
			s, ok := c.text(x, "hours")
			if !ok {
				continue
			}
			r, err := parseHours(s)
			if err != nil {
				c.fail(x, "bad_hours", `as in ["22:00-07:00"]`, "%s", err)
				continue
			}
			c.b.Quiet.Hours = append(c.b.Quiet.Hours, r)
		}
	}
	if v, ok := f.get("pass"); ok {
		c.b.Quiet.Pass = nil
		for _, x := range c.listOrOne(v, "pass") {
			if i, ok := c.intent(x); ok {
				c.b.Quiet.Pass = append(c.b.Quiet.Pass, i)
			}
		}
		slices.Sort(c.b.Quiet.Pass)
	}
}

func parseHours(s string) (catalog.HourRange, error) {
	m := hourRange.FindStringSubmatch(s)
	bad := fmt.Errorf("%q is no range of hours", s)
	if m == nil {
		return catalog.HourRange{}, bad
	}
	var n [4]int
	for k := range n {
		n[k], _ = strconv.Atoi(m[k+1]) // two digits
	}
	from, to := n[0]*60+n[1], n[2]*60+n[3]
	if from >= 24*60 || to > 24*60 || from == to {
		return catalog.HourRange{}, bad
	}
	return catalog.HourRange{From: from, To: to % (24 * 60)}, nil
}

// listOrOne reads a list, or one value as a list of one.
func (c *compiler) listOrOne(v value, of string) []value {
	if !v.isNull() && v.isScalar() {
		return []value{v}
	}
	return c.list(v, of)
}

var intents = []string{"sales", "service", "information", "question", "safety", "recovery", "handoff", "entertainment"}

func (c *compiler) intent(v value) (catalog.Intent, bool) {
	word, ok := c.word(v, "intent", intents...)
	if !ok {
		return 0, false
	}
	return catalog.ParseIntent(word)
}
