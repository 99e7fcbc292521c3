package policy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestPrintFindings(t *testing.T) {
	source := strings.Join([]string{
		`policy: dealer`,
		"\tversion:\t12",
		`text: "日本語" + x`,
		"e\u0301t\u00e9: x",
		strings.Repeat("a", 200) + "X" + strings.Repeat("b", 200),
		"red: \x1b[31m\u202e",
		"crlf: x\r",
		``,
	}, "\n")
	long := "    ..." + strings.Repeat("a", 80) + "X" + strings.Repeat("b", 39) + "...\n       " + strings.Repeat(" ", 80) + "^\n"
	for _, c := range []struct {
		name         string
		line, column int
		want         string
	}{
		{"plain", 1, 9, "    policy: dealer\n            ^\n"},
		{"first column", 1, 1, "    policy: dealer\n    ^\n"},
		{"behind the end", 1, 15, "    policy: dealer\n                  ^\n"},
		{"far behind the end", 1, 99, "    policy: dealer\n                  ^\n"},
		{"tabs", 2, 11, "    \tversion:\t12\n    \t        \t^\n"},
		// text: " is 7 cells, the three characters 6, the rest `" + ` 4.
		{"wide characters", 3, 15, "    text: \"日本語\" + x\n    " + strings.Repeat(" ", 17) + "^\n"},
		// é as two code points, t, é as one, colon, space: 5 cells, column 7.
		{"combining", 4, 7, "    e\u0301t\u00e9: x\n         ^\n"},
		{"long line", 5, 201, long},
		{"control characters", 6, 1, "    red: \ufffd[31m\ufffd\n    ^\n"},
		{"CR LF", 7, 7, "    crlf: x\n          ^\n"},
		{"empty line", 8, 1, "    \n    ^\n"},
		{"line beyond the file", 9, 1, ""},
		{"whole file", 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Finding{File: "p.yaml", Line: c.line, Column: c.column, Severity: Warning, Code: "unused_name", Message: "m"}
			var out strings.Builder
			err := PrintFindings(&out, []Finding{f}, func(string) ([]byte, error) { return []byte(source), nil })
			if err != nil {
				t.Fatal(err)
			}
			head, rest, _ := strings.Cut(out.String(), "\n")
			if head != f.String() || rest != c.want {
				t.Errorf("got\n%s\nwant\n%s\n%s", out.String(), f, c.want)
			}
		})
	}
}

func TestPrintFindingsHintsAndReadsOnce(t *testing.T) {
	reads := 0
	source := func(file string) ([]byte, error) {
		reads++
		if file == "gone.yaml" {
			return nil, errors.New("gone")
		}
		return []byte("eligible: !inside(store)\n"), nil
	}
	findings := []Finding{
		{"p.yaml", 1, 11, Error, "yaml_tag", "!inside is a YAML tag, the condition would be empty", `write "!inside(store)"`},
		{"p.yaml", 1, 1, Warning, "unused_name", "x", ""},
		{"gone.yaml", 3, 1, Error, "y", "z\nz", "h"},
		{"gone.yaml", 4, 1, Error, "y", "z", ""},
	}
	var out strings.Builder
	if err := PrintFindings(&out, findings, source); err != nil {
		t.Fatal(err)
	}
	want := `p.yaml:1:11: error: !inside is a YAML tag, the condition would be empty [yaml_tag]
    eligible: !inside(store)
              ^
    hint: write "!inside(store)"
p.yaml:1:1: warning: x [unused_name]
    eligible: !inside(store)
    ^
gone.yaml:3:1: error: z z [y]
    hint: h
gone.yaml:4:1: error: z [y]
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if reads != 2 {
		t.Errorf("%d reads of 2 files", reads)
	}
}

func TestPrintFindingsJSON(t *testing.T) {
	f := Finding{"p.yaml", 3, 14, Error, "unknown_name", `"speed" <b>`, "did you mean speed?"}
	var out strings.Builder
	if err := PrintFindingsJSON(&out, []Finding{f, f}); err != nil {
		t.Fatal(err)
	}
	want := `{"file":"p.yaml","line":3,"column":14,"severity":"error","code":"unknown_name","message":"\"speed\" <b>","hint":"did you mean speed?"}` + "\n"
	if out.String() != want+want {
		t.Errorf("got %s", out.String())
	}
	var back Finding
	if err := json.Unmarshal([]byte(want), &back); err != nil || back != f {
		t.Errorf("reads back as %+v, %v", back, err)
	}
}

func TestSortAndCountFindings(t *testing.T) {
	findings := []Finding{
		{File: "b", Line: 1, Severity: Error},
		{File: "a", Line: 10, Column: 2, Severity: Warning},
		{File: "a", Line: 9, Column: 3, Severity: Warning},
		{File: "a", Line: 10, Column: 1, Severity: Error, Code: "y"},
		{File: "a", Line: 10, Column: 1, Severity: Error, Code: "x"},
	}
	SortFindings(findings)
	var order []string
	for _, f := range findings {
		order = append(order, f.String())
	}
	want := []string{"a:9:3: warning:  []", "a:10:1: error:  [x]", "a:10:1: error:  [y]", "a:10:2: warning:  []", "b:1:0: error:  []"}
	if strings.Join(order, "\n") != strings.Join(want, "\n") {
		t.Errorf("order %q", order)
	}
	if e, w := CountFindings(findings); e != 3 || w != 2 {
		t.Errorf("%d errors, %d warnings", e, w)
	}
}
