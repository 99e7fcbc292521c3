package chance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// reader draws conditions of an action: they read what is held for its purpose,
// and of persons only where it has one.
type reader struct {
	*author
	purpose string // empty: nothing about anybody
}

// may returns those of a list that the reader may read.
func (r reader) may(list []named) []named {
	var may []named
	for _, n := range list {
		if !n.personal || r.purpose != "" && slices.Contains(n.purposes, r.purpose) && (!n.special || r.purposeNamed(r.purpose).explicit) {
			may = append(may, n)
		}
	}
	return may
}

// of returns those of a type.
func of(list []named, kind string) []named {
	var all []named
	for _, n := range list {
		if n.kind == kind {
			all = append(all, n)
		}
	}
	return all
}

// condition draws a whole condition. No name stands in it twice, so that it hardly ever contradicts itself.
func (r reader) condition() string {
	for {
		if s := r.truth(r.IntN(3)); !repeats(s) {
			return s
		}
	}
}

var word = regexp.MustCompile(`[a-z][a-z0-9_.]*`)

// repeats says whether a name that is declared stands twice in a condition.
func repeats(condition string) bool {
	seen := map[string]bool{}
	for _, w := range word.FindAllString(condition, -1) {
		if len(w) > 3 && seen[w] && !strings.Contains(w, ":") {
			return true
		}
		seen[w] = true
	}
	return false
}

func (r reader) truth(depth int) string {
	if depth == 0 {
		return r.atom()
	}
	switch r.IntN(7) {
	case 0, 1:
		return r.truth(depth-1) + " && " + r.truth(0)
	case 2, 3:
		return "(" + r.truth(depth-1) + " || " + r.truth(0) + ")"
	case 4:
		return "!(" + r.truth(depth-1) + ")"
	case 5:
		return "(" + r.truth(0) + " ? " + r.truth(0) + " : " + r.truth(depth-1) + ")"
	}
	return r.truth(0)
}

// atom draws one comparison or question. Where what it wants is not declared, another is drawn.
func (r reader) atom() string {
	for {
		if s := r.try(); s != "" {
			return s
		}
	}
}

func (r reader) try() string {
	switch r.IntN(6) {
	case 0, 1:
		return r.ofSignal()
	case 2:
		return r.overTime()
	case 3:
		return r.ofFact()
	case 4:
		return r.ofHistory()
	}
	return r.ofCalendar()
}

var compares = []string{"<", "<=", ">", ">=", "==", "!="}

// draw gives the name of something of a type, empty where there is none.
func (r reader) draw(list []named, kind string) string {
	if all := of(list, kind); len(all) > 0 {
		return one(r.dice, all...).name
	}
	return ""
}

// readable are signals that a condition likes to read; delivery is said with an ask.
func (r reader) readable() []named {
	return slices.DeleteFunc(append(r.may(r.signals), r.may(r.derived)...), func(n named) bool { return n.name == "gate" || n.name == "delivery" })
}

func (r reader) ofSignal() string {
	list := r.readable()
	kind := one(r.dice, "bool", "bool", "int", "double", "string", "timestamp", "duration")
	name := r.draw(list, kind)
	if name == "" {
		return ""
	}
	switch kind {
	case "bool":
		return one(r.dice, "", "!") + name
	case "int":
		return fmt.Sprintf("%s%s %s %d", name, one(r.dice, "", "", " + 1", " % 3", " * 2", " / 2"), one(r.dice, compares...), r.IntN(6))
	case "double":
		return fmt.Sprintf("%s%s %s %s", name, one(r.dice, "", " * 2.0", " - 1.5", " / 2.0"), one(r.dice, compares[:4]...), one(r.dice, "0.5", "3.0", "5", "7.25", "20"))
	case "string":
		return one(r.dice, name+" == 'a'", name+" != 'b'", name+" in ['a', 'c']", name+".startsWith('a')", "size("+name+") > 0")
	case "timestamp":
		return fmt.Sprintf("%s %s timestamp('2026-03-02T12:00:00Z')", name, one(r.dice, "<", ">"))
	}
	return fmt.Sprintf("%s %s %s", name, one(r.dice, ">", ">=", "<"), one(r.dice, "2s", "8s", "1m"))
}

func (r reader) overTime() string {
	list := r.may(r.signals)
	flag, number := r.draw(list, "bool"), r.draw(list, one(r.dice, "int", "double"))
	if flag == "" || flag == "gate" || number == "" {
		return ""
	}
	over := one(r.dice, "30s", "5m", "1h")
	if r.percent(40) {
		flag = fmt.Sprintf("%s %s %d", number, one(r.dice, ">", "<"), 1+r.IntN(5))
	}
	switch r.IntN(10) {
	case 0, 1:
		return fmt.Sprintf("held(%s) >= %s", flag, one(r.dice, "2s", "10s", "1m"))
	case 2:
		return fmt.Sprintf("since(%s) < %s", flag, over)
	case 3:
		return fmt.Sprintf("count(%s, %s) >= %d", flag, over, 1+r.IntN(3))
	case 4:
		return fmt.Sprintf("count(%s, %s) > %d", number, over, r.IntN(4))
	case 5:
		return fmt.Sprintf("%s(%s, %s) %s %d", one(r.dice, "mean", "min", "max"), number, over, one(r.dice, ">", "<="), r.IntN(6))
	case 6:
		return fmt.Sprintf("rate(%s, %s) %s 0.0", number, over, one(r.dice, ">", "<"))
	case 7:
		return fmt.Sprintf("became(%s)", flag)
	case 8:
		return fmt.Sprintf("changed(%s)", number)
	}
	if len(r.may(of(r.signals, "position"))) == 0 {
		return ""
	}
	p := one(r.dice, r.places...)
	return one(r.dice, "inside("+p+")", "!inside("+p+")", "entered("+p+")", "entered("+p+", 1h)", "left("+p+")", "distance("+p+") < 500")
}

func (r reader) ofFact() string {
	list := r.may(r.facts)
	if len(list) == 0 {
		return ""
	}
	f := one(r.dice, list...)
	if r.percent(20) {
		return "has(" + f.name + ")"
	}
	switch f.kind {
	case "bool":
		return one(r.dice, "", "!") + f.name
	case "int":
		return fmt.Sprintf("%s %s %d", f.name, one(r.dice, compares...), r.IntN(6))
	case "double":
		return fmt.Sprintf("%s %s %s", f.name, one(r.dice, compares[:4]...), one(r.dice, "0.5", "3.0", "5"))
	case "money":
		return fmt.Sprintf("%s %s %s", f.name, one(r.dice, compares[:4]...), one(r.dice, "10.00", "2.50"))
	case "string":
		words := f.oneOf
		if words == nil {
			words = []string{"a", "b"}
		}
		return fmt.Sprintf("%s %s '%s'", f.name, one(r.dice, "==", "!="), one(r.dice, words...))
	case "date":
		if r.percent(20) {
			return f.name + " < date('2000-01-01')"
		}
		return fmt.Sprintf("age(%s) %s %d", f.name, one(r.dice, ">=", "<"), one(r.dice, 16, 18, 65))
	case "timestamp":
		return fmt.Sprintf("%s %s timestamp('2026-01-01T00:00:00Z')", f.name, one(r.dice, "<", ">"))
	case "list<string>":
		return one(r.dice, "'garden' in "+f.name, "size("+f.name+") > 1", f.name+".exists(x, x == 'garden')", f.name+".all(x, x != 'red')", f.name+".exists_one(x, x == 'red')", "size("+f.name+".filter(x, x != 'garden')) > 0", f.name+"[0] == 'garden'")
	case "list<int>":
		return one(r.dice, "3 in "+f.name, f.name+".exists(x, x > 2)", "size("+f.name+") == 0", f.name+"[1] > 2", "size("+f.name+".map(x, x + 1)) > 1")
	}
	return ""
}

// meanings are the history functions, and which kinds feed them.
var meanings = map[string][]string{
	"bought": {"purchase"}, "booked": {"booking", "departure"}, "asked": {"question"}, "answered": {"answer"}, "complained": {"complaint"}, "contacted": {"mailing"}, "viewed": {"view"},
}

func (r reader) ofHistory() string {
	kinds := r.may(r.kinds)
	if len(kinds) == 0 {
		return ""
	}
	k := one(r.dice, kinds...).name
	switch r.IntN(5) {
	case 0:
		if k == "complaint" {
			return "open(complaint)"
		}
	case 1:
		if k == "invoice" {
			return one(r.dice, "", "!") + "overdue(invoice)"
		}
	case 2:
		return fmt.Sprintf("until(%s%s) < %s", k, one(r.dice, "", ", '"+one(r.dice, subjects...)+"'"), one(r.dice, "2d", "30d"))
	default:
		means := one(r.dice, "bought", "booked", "asked", "answered", "complained", "contacted", "viewed")
		any := false
		for _, feeds := range meanings[means] {
			if slices.Contains(names(r.kinds), feeds) {
				if !slices.Contains(names(kinds), feeds) {
					return "" // one of them is not held for the purpose
				}
				any = true
			}
		}
		if any {
			return fmt.Sprintf("%s%s('%s'%s)", one(r.dice, "", "!"), means, one(r.dice, subjects...), one(r.dice, "", ", 30d", ", 1h"))
		}
	}
	return ""
}

func (r reader) ofCalendar() string {
	return one(r.dice, "now.getHours('Asia/Tokyo') >= 12", "now.getDayOfWeek() != 0", "now > timestamp('2026-03-02T10:00:00+01:00')", "now.getFullYear() == 2026",
		"local.hour >= 8", "local.hour < 18", "local.weekday == 1", "local.weekday >= 6", "local.hour >= 18")
}

// placeholder draws something that a text may say: declared or sensed, and not a list.
func (r reader) placeholder(personal bool) string {
	var may []string
	for _, n := range r.may(r.signals) {
		if n.personal == personal && n.kind != "position" && n.name != "gate" && n.name != "delivery" {
			may = append(may, n.name)
		}
	}
	if personal {
		for _, f := range r.may(r.facts) {
			if !strings.HasPrefix(f.kind, "list") && !slices.Contains(f.from, "inferred") && !slices.Contains(f.from, "third_party") && f.from != nil {
				may = append(may, f.name)
			}
		}
	}
	if len(may) == 0 {
		return ""
	}
	return "{" + one(r.dice, may...) + "}"
}
