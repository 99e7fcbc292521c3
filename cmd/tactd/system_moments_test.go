package main_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

const localToken = "local-token-of-the-test"

// TestMomentsExport takes what a running device's decisions looked at and makes each of them again elsewhere.
func TestMomentsExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(1))
	d := w.newDevice("kiosk-1")
	// The token is asked of everybody; it goes into the one line of the configuration that speaks of local.
	raw, err := os.ReadFile(w.path("kiosk-1", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(string(raw), "socket: none}", "socket: none, token: "+localToken+"}", 1)
	writeFile(t, w.path("kiosk-1", "config.yaml"), config)
	d.up()
	post := func(text string) []line {
		t.Helper()
		code, answer, err := call("POST", d.url+"/v1/events?wait=1", localToken, text)
		if err != nil || code != 200 {
			t.Fatalf("%s: %d %v %s", text, code, err, answer)
		}
		return reading[taken](t, answer).Lines
	}
	ask := func() line {
		t.Helper()
		for _, l := range post(`{"ask":"counter"}`) {
			if l.Clear == "" && l.Slot == "counter" {
				return l
			}
		}
		t.Fatal("no decision")
		return line{}
	}
	export := func() string {
		t.Helper()
		code, text, err := call("GET", d.url+"/v1/moments", localToken, "")
		if err != nil || code != 200 {
			t.Fatalf("moments: %d %v %s", code, err, text)
		}
		return text
	}
	await(t, "the policy is there", 20*time.Second, func() bool {
		code, text, err := call("GET", d.url+"/v1/status", localToken, "")
		return err == nil && code == 200 && strings.Contains(text, "shop@1")
	})

	before := ask() // of nobody
	w.mustFeed(annaName, annaConsent)
	post(annaIsHere)
	await(t, "the slice is there", 10*time.Second, func() bool {
		code, text, err := call("GET", d.url+"/v1/known", localToken, "")
		return err == nil && code == 200 && strings.Contains(text, `"Anna"`)
	})
	sale := ask()
	if sale.Action != "model-x" || before.Action != "first-service" {
		t.Fatalf("decided %s, then %s", before.Action, sale.Action)
	}
	post(`{"interaction":"complaint","customer":"crm:1","ref":"c1"}`)
	last := ask()

	if code, _, err := call("GET", d.url+"/v1/moments", "", ""); err != nil || code != 401 {
		t.Errorf("without the token the moments are given: %d %v", code, err)
	}
	var kept string
	await(t, "three moments are written", 10*time.Second, func() bool { kept = export(); return strings.Count(kept, "\n") >= 3 })
	for _, id := range []string{before.Decision, sale.Decision, last.Decision} {
		if strings.Count(kept, `"decision":"`+id+`"`) != 1 {
			t.Errorf("the export does not hold %s once:\n%s", id, kept)
		}
	}
	writeFile(t, w.path("kiosk-1.jsonl"), kept)
	r := command(t, w.dir, "", w.bin.tact, "replay", "shop.bundle", "--moments", "kiosk-1.jsonl")
	if r.code != 0 || !strings.Contains(r.stderr, " decisions made again, 0 differences") || !strings.Contains(r.stdout, "EUR 1,000 off the X now") {
		t.Errorf("replay: %+v", r)
	}
	for _, one := range []struct {
		args []string
		want []string
	}{
		{[]string{"--decision", sale.Decision}, []string{sale.Decision, "model-x, say_personal, for 39.95 EUR", "name.first  fact Anna", "for first-service to win: worth more than 39.95 (model-x)"}},
		{nil, []string{last.Decision, "first-service", "open_complaint", "for model-x to win: no complaint (complaint "}},
		{[]string{"--decision", sale.Decision, "--for-customer"}, []string{`We show "Anna, EUR 1,000 off the X now." for personal offers, because you said Anna (name first). You can say no`}},
	} {
		r := command(t, w.dir, "", w.bin.tact, append([]string{"explain", "shop.bundle", "--moments", "kiosk-1.jsonl"}, one.args...)...)
		for _, want := range one.want {
			if r.code != 0 || !strings.Contains(r.stdout, want) {
				t.Errorf("explain %v lacks %q: %+v", one.args, want, r)
			}
		}
	}

	// Forgotten at the back office, she is in no export any more; what was decided for nobody stays.
	if a := w.feed(crmToken, `{"forget":"crm:1"}`); a.Accepted != 1 {
		t.Fatalf("the hub answered %+v", a)
	}
	await(t, "her moments are gone", 30*time.Second, func() bool {
		kept = export()
		return !strings.Contains(kept, sale.Decision) && !strings.Contains(kept, last.Decision)
	})
	if !strings.Contains(kept, before.Decision) {
		t.Errorf("with hers another's moment has gone:\n%s", kept)
	}
}
