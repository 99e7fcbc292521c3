package register_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/actions/register"
)

var rewrite = flag.Bool("update", false, "write the registers anew; read them before committing")

func compile(t *testing.T, dir string) *catalog.Bundle {
	t.Helper()
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile %s: %v %v", dir, findings, err)
	}
	return b
}

func written(t *testing.T, b *catalog.Bundle, language, format string) []byte {
	t.Helper()
	r, err := register.Make(b, language)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	switch format {
	case "md":
		err = r.Markdown(&out)
	case "csv":
		err = r.CSV(&out)
	default:
		err = r.JSON(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The register of a policy that has one of everything, read and found right.
func TestRegister(t *testing.T) {
	b := compile(t, "testdata/clinic")
	for _, format := range []string{"md", "csv", "json"} {
		got := written(t, b, "", format)
		file := "testdata/clinic/register." + format
		if *rewrite {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant:\n%s", format, got, want)
		}
	}
}

// What the register must say, said apart from its form.
func TestRegisterSays(t *testing.T) {
	r, err := register.Make(compile(t, "testdata/clinic"), "nl")
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]register.Datum{}
	for _, d := range r.Data {
		data[d.Name] = d
	}
	uses := func(name string) string {
		var all []string
		for _, u := range data[name].UsedBy {
			all = append(all, u.Action+":"+strings.Join(u.In, "+"))
		}
		return strings.Join(append(all, data[name].Also...), " ")
	}
	for name, want := range map[string]string{
		"steps":      "walk:condition derived value active",
		"active":     "walk:condition",
		"diabetes":   "walk:condition",
		"slots.free": "walk:condition",
		"name.first": "herbal-tea:text",
		"purchase":   "herbal-tea:guard",
		"returned":   "herbal-tea:guard ends purchase",
		"complaint":  "call-back:condition+hand-over herbal-tea:guard",
		"resolved":   "call-back:condition herbal-tea:guard ends complaint",
		"speed":      "warn:condition state driving",
		"people":     "state alone",
		"presence":   "end of a session",
		"hand_over":  "call-back:hand-over",
		"old.score":  "",
	} {
		if got := uses(name); got != want {
			t.Errorf("%s is used by %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string][]string{
		"steps": {}, "active": {"hub"}, "name.first": {"hub", "partner gym"}, "complaint": {"hub", "staff"}, "diabetes": {"hub"}, "slots.free": {},
	} {
		if got := data[name].Recipients; !slices.Equal(got, want) {
			t.Errorf("%s goes to %q, want %q", name, got, want)
		}
	}
	if !data["old.score"].Gone || data["name.first"].Gone || data["presence"].Gone {
		t.Error("what is held only for a purpose without basis is gone, and nothing else")
	}
	if d := data["steps"]; d.Kept != "readings of 1d" || d.Fresh != "1h" || d.Special != "health" || d.Leaves != "no" || d.Purposes[0].For != "om je te laten bewegen" {
		t.Errorf("steps: %+v", d)
	}
	if d := data["active"]; d.Leaves != "value" || d.Kept != "1y" || !slices.Equal(d.From, []string{"steps", "as count(steps, 1d) > 20"}) {
		t.Errorf("active: %+v", d)
	}
	if got, want := r.Exemptions, []register.Exemption{{"call-back", "caps", "2026-03-01", "Jan, legal"}, {"warn", "pressure", "", ""}}; !slices.Equal(got, want) {
		t.Errorf("exemptions %v, want %v", got, want)
	}
	if len(r.Sensitive) != 1 || !slices.Equal(r.Sensitive[0].Actions, []string{"herbal-tea"}) {
		t.Errorf("sensitive subjects %v: herbs are a tea", r.Sensitive)
	}
	if !strings.HasSuffix(r.Summary(), "2 exemptions (1 not dated or not owned)") {
		t.Errorf("summary %q", r.Summary())
	}
}

func TestRegisterKnowsItsLanguages(t *testing.T) {
	if _, err := register.Make(compile(t, "testdata/clinic"), "fr"); err == nil || !strings.Contains(err.Error(), "has no texts in fr, only in en nl") {
		t.Errorf("French: %v", err)
	}
}

// Every example policy: the same bytes on every run, from the folder and from the built bundle; every
// declared name once; CSV and JSON that other programs read.
func TestEveryExampleHasARegister(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/policies/*")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("find policies: %v, %d found", err, len(dirs))
	}
	for _, dir := range append(dirs, "testdata/clinic") {
		b := compile(t, dir)
		built, err := catalog.Decode(catalog.Encode(b))
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"md", "csv", "json"} {
			first := written(t, b, "", format)
			for range 3 {
				if again := written(t, compile(t, dir), "", format); !bytes.Equal(first, again) {
					t.Fatalf("%s: %s differs between runs", dir, format)
				}
			}
			if other := written(t, built, "", format); !bytes.Equal(first, other) {
				t.Fatalf("%s: %s differs between folder and bundle", dir, format)
			}
		}
		rows, err := csv.NewReader(bytes.NewReader(written(t, b, "", "csv"))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		var r register.Register
		d := json.NewDecoder(bytes.NewReader(written(t, b, "", "json")))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		named := map[string]int{}
		for _, row := range rows[1:] {
			if slices.Contains([]string{"fact", "interaction", "signal", "derived"}, row[0]) {
				named[row[1]]++
			}
		}
		declared := 0
		for _, x := range r.Data {
			declared++
			if named[x.Name] != 1 {
				t.Errorf("%s: %s stands %d times in the CSV", dir, x.Name, named[x.Name])
			}
		}
		if want := len(b.Signals) + len(b.Derived) + len(b.Facts) + len(b.Kinds); declared != want || len(named) != want {
			t.Errorf("%s: %d and %d names, want %d", dir, declared, len(named), want)
		}
	}
}
