package register

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// JSON writes the register as one object, indented, without HTML escaping.
func (r *Register) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// columns are the header of the CSV form.
var columns = [...]string{"entry", "name", "type", "about", "why", "purposes", "basis", "from", "special", "kept", "fresh", "recipients", "leaves_device", "used_by", "note"}

// row is one line of the CSV form, by column.
type row map[string]string

// CSV writes one row a datum, purpose, partner, exemption, and so on; `entry` says which. The
// columns are the same in every row, several values of one are joined by "; ".
func (r *Register) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(columns))
	copy(line, columns[:])
	if err := out.Write(line); err != nil {
		return err
	}
	for _, one := range r.rows() {
		for k, c := range columns {
			line[k] = one[c]
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (r *Register) rows() (all []row) {
	for k := range r.Data {
		d := &r.Data[k]
		all = append(all, row{"entry": d.Kind, "name": d.Name, "type": d.Type, "about": d.About, "why": d.Why, "purposes": purposes(d), "basis": bases(d), "from": list(d.From),
			"special": d.Special, "kept": d.Kept, "fresh": d.Fresh, "recipients": list(d.Recipients), "leaves_device": d.Leaves, "used_by": usedBy(d), "note": gone(d.Gone)})
	}
	for k := range r.Purposes {
		p := &r.Purposes[k]
		all = append(all, row{"entry": "purpose", "name": p.Purpose, "why": p.For, "basis": p.Basis, "recipients": list(p.Partners), "used_by": list(p.Actions), "note": note(p)})
	}
	for _, p := range r.Partners {
		all = append(all, row{"entry": "partner", "name": p.Partner, "why": p.For, "purposes": p.Purpose, "used_by": list(p.Actions), "note": "needs " + p.Consent})
	}
	for _, x := range r.Exemptions {
		all = append(all, row{"entry": "exemption", "name": x.Of, "used_by": x.Action, "note": x.note()})
	}
	for _, x := range r.Mandatory {
		all = append(all, row{"entry": "mandatory", "name": x.Action, "type": x.Intent, "purposes": x.Purpose})
	}
	for _, x := range r.Absent {
		all = append(all, row{"entry": "absent_allowed", "name": x.State, "from": list(x.Signals), "note": "false where the source is absent"})
	}
	for _, x := range r.Sensitive {
		all = append(all, row{"entry": "sensitive", "name": x.Subject, "special": x.Sensitive, "used_by": list(x.Actions)})
	}
	for _, x := range r.Consents {
		all = append(all, row{"entry": "read_only_with_consent", "name": x.Signal, "purposes": x.Consent})
	}
	return all
}

// Markdown writes the register as tables for people.
func (r *Register) Markdown(w io.Writer) error {
	p := &page{}
	p.line("# Register of %s", r.Policy)
	p.line("")
	p.line("Made from the policy itself. Amounts in %s, days in zone %s, texts in %s.", r.Currency, r.Zone, r.Language)
	p.line("What leaves the device goes to the hub: a record is sealed, and says what, when and from whom; a value is told")
	p.line("with nothing of what it was made of.")
	for _, section := range []struct{ kind, title, none string }{
		{"fact", "What is known", "No facts are held."}, {"interaction", "What happened", "No interactions are held."},
		{"signal", "What the device senses", "Nothing is sensed."}, {"derived", "What is computed", "Nothing is computed."}} {
		p.data(r, section.kind, section.title, section.none)
	}
	p.table("Purposes", "No purposes.", []string{"purpose", "basis", "for", "actions", "note"}, len(r.Purposes), func(k int) []string {
		x := &r.Purposes[k]
		return []string{x.Purpose, x.Basis, x.For, list(x.Actions), note(x)}
	})
	p.table("Partners", "Nobody else receives anything.", []string{"partner", "purpose", "needs consent", "for", "actions"}, len(r.Partners), func(k int) []string {
		x := &r.Partners[k]
		return []string{x.Partner, x.Purpose, x.Consent, x.For, list(x.Actions)}
	})
	p.table("Exemptions", "No action is exempt from anything.", []string{"action", "of", "since", "by", "note"}, len(r.Exemptions), func(k int) []string {
		x := &r.Exemptions[k]
		return []string{x.Action, x.Of, x.Since, x.By, x.missing()}
	})
	p.table("Mandatory actions", "No action skips value and ranking.", []string{"action", "intent", "purpose"}, len(r.Mandatory), func(k int) []string {
		x := &r.Mandatory[k]
		return []string{x.Action, x.Intent, x.Purpose}
	})
	p.table("States that an absent source lifts", "No state is lifted by an absent source.", []string{"state", "signals"}, len(r.Absent), func(k int) []string {
		return []string{r.Absent[k].State, list(r.Absent[k].Signals)}
	})
	p.table("Sensitive subjects", "No subject is marked as sensitive.", []string{"subject", "because of", "actions"}, len(r.Sensitive), func(k int) []string {
		x := &r.Sensitive[k]
		return []string{x.Subject, x.Sensitive, list(x.Actions)}
	})
	p.table("Signals that are read only with consent", "No signal asks for a consent of its own.", []string{"signal", "consent"}, len(r.Consents), func(k int) []string {
		return []string{r.Consents[k].Signal, r.Consents[k].Consent}
	})
	_, err := io.WriteString(w, p.text.String())
	return err
}

// page is Markdown that grows.
type page struct{ text strings.Builder }

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.text, format, args...)
	p.text.WriteByte('\n')
}

// data is the table of one kind of datum.
func (p *page) data(r *Register, kind, title, none string) {
	var all []*Datum
	for k := range r.Data {
		if r.Data[k].Kind == kind {
			all = append(all, &r.Data[k])
		}
	}
	p.table(title, none, []string{kind, "type", "about", "why, and on what basis", "from", "kept", "trusted for", "who receives it", "leaves the device", "used by", "note"}, len(all), func(k int) []string {
		d := all[k]
		var why []string
		for _, x := range d.Purposes {
			why = append(why, x.Purpose+" ("+x.Basis+"): "+x.For)
		}
		if d.Why != "" {
			why = append(why, d.Why)
		}
		var notes []string
		if d.Special != "" {
			notes = append(notes, "special: "+d.Special)
		}
		if d.Gone {
			notes = append(notes, gone(true))
		}
		return []string{d.Name, d.Type, d.About, list(why), list(d.From), d.Kept, d.Fresh, list(d.Recipients), d.Leaves, usedBy(d), list(notes)}
	})
}

// table writes a section with a table, or a sentence where it would be empty.
func (p *page) table(title, none string, header []string, n int, cells func(int) []string) {
	p.line("")
	p.line("## %s", title)
	p.line("")
	if n == 0 {
		p.line("%s", none)
		return
	}
	rule := strings.Repeat("| --- ", len(header)) + "|"
	p.line("| %s |", strings.Join(header, " | "))
	p.line("%s", rule)
	for k := range n {
		row := cells(k)
		for c := range row {
			row[c] = cell(row[c])
		}
		p.line("| %s |", strings.Join(row, " | "))
	}
}

// cell keeps what authors write inside its cell.
func cell(s string) string {
	if s == "" {
		return "-"
	}
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "*", `\*`, "`", "\\`").Replace(s)
}

func list(words []string) string { return strings.Join(words, "; ") }

func purposes(d *Datum) string {
	var words []string
	for _, x := range d.Purposes {
		words = append(words, x.Purpose+": "+x.For)
	}
	return list(words)
}

func bases(d *Datum) string {
	var words []string
	for _, x := range d.Purposes {
		words = append(words, x.Purpose+": "+x.Basis)
	}
	return list(words)
}

func usedBy(d *Datum) string {
	var words []string
	for _, x := range d.UsedBy {
		words = append(words, x.Action+" ("+strings.Join(x.In, ", ")+")")
	}
	return list(append(words, d.Also...))
}

// gone says what becomes of data whose purposes have no basis any more.
func gone(is bool) string {
	if is {
		return "gone: no purpose of it has a basis any more, it is not held"
	}
	return ""
}

func note(p *Purpose) string {
	var words []string
	if p.Gone {
		words = append(words, "gone: the law took its basis away")
	}
	if p.Explicit {
		words = append(words, "explicit consent")
	}
	if p.Unasked != "" {
		words = append(words, "unasked needs "+p.Unasked)
	}
	if p.LeastAge > 0 {
		words = append(words, "from the age of "+strconv.FormatInt(p.LeastAge, 10))
	}
	for _, x := range p.Partners {
		words = append(words, "partner "+x)
	}
	return list(words)
}

// missing says what an exemption lacks.
func (x *Exemption) missing() string {
	var words []string
	if x.Since == "" {
		words = append(words, "not dated")
	}
	if x.By == "" {
		words = append(words, "nobody owns it")
	}
	return list(words)
}

func (x *Exemption) note() string {
	var words []string
	if x.Since != "" {
		words = append(words, "since "+x.Since)
	}
	if x.By != "" {
		words = append(words, "by "+x.By)
	}
	if m := x.missing(); m != "" {
		words = append(words, m)
	}
	return list(words)
}

// Summary says in a line what is in the register.
func (r *Register) Summary() string {
	data := map[string]int{}
	undated := 0
	for k := range r.Data {
		data[r.Data[k].Kind]++
	}
	for k := range r.Exemptions {
		if r.Exemptions[k].missing() != "" {
			undated++
		}
	}
	text := fmt.Sprintf("%s: %s, %s, %s, %s, %s, %s", r.Policy, count(data["fact"], "fact"), count(data["interaction"], "kind of interaction", "kinds of interactions"),
		count(data["signal"], "signal"), count(data["derived"], "derived value"), count(len(r.Purposes), "purpose"), count(len(r.Exemptions), "exemption"))
	if undated > 0 {
		text += fmt.Sprintf(" (%d not dated or not owned)", undated)
	}
	return text
}

func count(n int, words ...string) string {
	word := words[0]
	switch {
	case n != 1 && len(words) > 1:
		word = words[1]
	case n != 1:
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}
