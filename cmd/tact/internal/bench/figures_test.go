package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestReadFigures(t *testing.T) {
	in := `goos: linux
cpu: Some Processor
pkg: x
BenchmarkParse-4   	 1307787	       925.0 ns/op	  91.89 MB/s	     624 B/op	       8 allocs/op
BenchmarkRule/1000-4  100  184 rule.update.1000:ns  373000 rule.update.1000:ns:peer:cel-go  250 rule.update.1000:ns:at-most  12 ns/op
BenchmarkOutbox-4  1  10 outbox.append.256:records/s  20 outbox.append.256:records/s:peer:rawwal  0.6 outbox.append.256:ratio-at-least
BenchmarkOutbox-4  1  14 outbox.append.256:records/s  20 outbox.append.256:records/s:peer:rawwal  0.6 outbox.append.256:ratio-at-least
BenchmarkOutbox-4  1  90 outbox.append.256:records/s  30 outbox.append.256:records/s:peer:rawwal  0.6 outbox.append.256:ratio-at-least
BenchmarkLogs prints a line of its own
PASS
`
	cpu, figures, err := readFigures(strings.NewReader(in))
	if err != nil || cpu != "Some Processor" {
		t.Fatalf("cpu %q, %v", cpu, err)
	}
	got, err := json.Marshal(figures)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"figure":"outbox.append.256","value":14,"unit":"records/s","peer":"rawwal","peer_value":20,"ratio":0.7,"mark":"ratio \u003e= 0.6","met":true},` +
		`{"figure":"rule.update.1000","value":184,"unit":"ns","peer":"cel-go","peer_value":373000,"ratio":0.0004932975871313673,"mark":"\u003c= 250","met":true}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadFiguresWithoutPeerOrMark(t *testing.T) {
	_, figures, err := readFigures(strings.NewReader("BenchmarkSize-4 1 9.5 tactd.size.arm64:MB\nBenchmarkRSS-4 1 30 tactd.rss:MB 25 tactd.rss:MB:at-most\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(figures)
	want := `[{"figure":"tactd.rss","value":30,"unit":"MB","peer":null,"peer_value":null,"ratio":null,"mark":"\u003c= 25","met":false},` +
		`{"figure":"tactd.size.arm64","value":9.5,"unit":"MB","peer":null,"peer_value":null,"ratio":null,"mark":null,"met":null}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadFiguresRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "no figures",
		"BenchmarkX-4 1 5 ns/op":           "no figures",
		"BenchmarkX-4 1 5 Rule:ns":         "lower-case",
		"BenchmarkX-4 1 5 a.b:ns 6 a.b:ms": "its unit was ns",
		"BenchmarkX-4 1 5 a.b:ns:at-most":  "no value",
		"BenchmarkX-4 1 5 a.b:ns 1 a.b:ratio-at-most":           "no peer",
		"BenchmarkX-4 1 5 a.b:ns:upto":                          "expected name:unit",
		"BenchmarkX-4 1 5 a:ns 1 a:ns:peer:x 2 a:ns:peer:y":     "its peer was x",
		"BenchmarkX-4 1 5 a:ns 1 a:ns:at-most 2 a:ns:at-most":   "another mark",
		"BenchmarkX-4 1 5 a:ns 1 a:ns:at-most 1 a:ns:at-least ": "another mark",
	} {
		if _, _, err := readFigures(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}
