package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/hub/serve"
)

// A hub is started, fed, asked and stopped as people do it.
func TestHubIsRunAndAsked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hub")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var talk bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"hub", "run", "--dir", dir, "--http", "127.0.0.1:0", "--embedded-broker", "127.0.0.1:0", "--source", "crm=secret-of-crm"},
			strings.NewReader(""), new(bytes.Buffer), &talk)
	}()
	limit, tick := time.After(15*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	var url string
	for url == "" {
		select {
		case <-tick.C:
			url, _, _ = serve.ReadAddress(dir)
		case code := <-ended:
			t.Fatalf("ended with %d: %s", code, talk.String())
		case <-limit:
			t.Fatal("the hub does not listen")
		}
	}
	r, err := http.NewRequest("POST", url+"/v1/events", strings.NewReader(`{"interaction":"complaint","customer":"crm:77","ref":"c1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret-of-crm")
	a, err := http.DefaultClient.Do(r)
	if err != nil || a.StatusCode != 200 {
		t.Fatalf("%v, %v", a, err)
	}
	a.Body.Close()
	receipt := filepath.Join(t.TempDir(), "receipt.json")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"customer crm:77", 0, "complaint c1"},
		{"customer crm:77 --json", 0, `{"customer":"crm:77","ids":["crm:77"],`},
		{"customer crm:78", 1, "not known"},
		{"customer crm:77 --token wrong", 77, "token is not known here"},
		{"decisions", 0, ""},
		{"decisions --json --limit 5", 0, ""},
		{"decisions --limit 0", 1, "1 to 10000"},
		{"customer show crm:77", 0, "What we hold of crm:77 on "},
		{"customer show crm:77 --language nl", 0, "\nWat er is gebeurd\n"},
		{"customer show crm:77 --language de", 0, "    von: crm\n"},
		{"customer show crm:77 --json", 0, `"kept_until":null`},
		{"customer receipt 0123456789abcdef", 1, "no erasure has this id"},
		{"customer forget crm:77 --wait --timeout 1m -o " + receipt, 0, "no device had anything"},
		{"verify --receipt " + receipt, 0, "the signature of the hub of tenant main is right"},
		{"customer show crm:77", 1, "forgotten"},
		{"customer forget crm:77 --json", 0, `"completed":"`},
	} {
		var out, talk bytes.Buffer
		args := append(append([]string{"hub"}, strings.Fields(c.args)...), "--dir", dir)
		if code := run(ctx, args, strings.NewReader(""), &out, &talk); code != c.code || !strings.Contains(out.String()+talk.String(), c.says) {
			t.Errorf("%s: %d %s%s\nwant %d saying %q", c.args, code, &out, &talk, c.code, c.says)
		}
	}
	if views, err := os.ReadFile(filepath.Join(dir, serve.ViewsFile)); err != nil || bytes.Count(views, []byte("\n")) != 6 || bytes.Contains(views, []byte("crm:77")) {
		t.Errorf("six looks were answered, and noted are %s, %v", views, err)
	}
	var out bytes.Buffer
	if code := run(ctx, []string{"hub", "verify", "--dir", dir, "--json"}, strings.NewReader(""), &out, os.Stderr); code != 0 || out.String() != "{\"epochs\":[],\"findings\":[]}\n" {
		t.Errorf("verify: %d %s", code, &out)
	}
	stop()
	select {
	case code := <-ended:
		if code != 0 || !strings.Contains(talk.String(), "listens on http://127.0.0.1:") {
			t.Errorf("ended with %d: %s", code, talk.String())
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the hub does not stop")
	}
}
