package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The whole product runs in this process: broker, hub, three devices, and a
// network that is cut. What each journey must show is on the terminal, and
// nothing is left behind.
func TestDemoFast(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 14 seconds")
	}
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	var out, talk strings.Builder
	begun := time.Now()
	if code := run(t.Context(), []string{"demo", "--fast"}, strings.NewReader(""), &out, &talk); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, talk.String(), out.String())
	}
	t.Logf("took %s", time.Since(begun).Round(100*time.Millisecond))
	text := out.String()
	if strings.ContainsAny(text, "\x1b\r") {
		t.Error("control characters in a pipe")
	}
	// Each in this order, in its chapter.
	at := 0
	for _, want := range []string{
		`= kiosk-1 +checked the signature, demo@1 is in charge`,
		`= car-1 +checked the signature, demo@1 is in charge`,
		`= wearables-1 +checked the signature, demo@1 is in charge`,

		`01  Just bought`,
		`= kiosk-1 +first-service "Anna, shall we`,
		`worth EUR 2\.95 = chance 0\.10 x EUR 30\.00 - bother EUR 0\.05`,
		`not model-x-1000-off .*\(purchase \d{4}-\d\d-\d\d\) \[already_bought\]`,
		`not roof-box .*\[lost_by_value\]`,
		`= mail .*product:model-x\? The hub says no[^:]*: .*\[already_bought\]`,

		`28  Noise`,
		`= kiosk-1 +silence in kiosk\.till: .*\[not_worth_bother\]`,
		`not wiper-blade .*-0\.01.*\[not_worth_bother\]`,
		`= kiosk-1 +wiper-set`,
		`worth EUR 0\.01`,

		`16  Hotel already booked`,
		`= mail .*hotel:rome\? The hub says yes`,
		`= kiosk-1 +takes it down after \d+ ms \[goal_reached\]`,
		`= car-1 +takes it down after \d+ ms \[goal_reached\]`,
		`= mail .*hotel:rome\? The hub says no[^:]*: .*\[goal_reached\]`,
		`= kiosk-1 +hotel-milan`,
		`not hotel-rome .*\[goal_reached\]`,

		`02  A complaint in another system`,
		`= kiosk-1 +held its sales after \d+ ms \[open_complaint\]`,
		`= car-1 +held its sales after \d+ ms \[open_complaint\]`,
		`= wearables-1 +held its sales after \d+ ms \[open_complaint\]`,
		`= mail .*The hub says no[^:]*: .*\[open_complaint\]`,
		`= kiosk-1 +recovery-call`,
		`not roof-box .*\[open_complaint\]`,
		`= wearables-1 +silence in wrist: .*\[complaint_cool_off\]`,
		`= mail .*The hub says no, until \d{4}-\d\d-\d\d: .*\[complaint_cool_off\]`,

		`08  Freezing`,
		`= car-1 +slow-down`,
		`not faster-car .*\[at_the_wheel\]`,
		`faster-car was worth EUR 999\.95`,

		`07  Over the border`,
		`= car-1 +reads its position from now on`,
		`> network +cut`,
		`= car-1 +silence in dash\.card: .*\[at_the_wheel\]`,
		`= kiosk-1 .*passers-by.*wiper-set`,
		`= wearables-1 +travel-insurance`,
		`= car-1 +travel-insurance`,
		`= kiosk-1 .*outbox grew from \d+ records to \d+`,
		`= car-1 .*outbox grew from \d+ records to \d+`,
		`= wearables-1 .*outbox grew from \d+ records to \d+`,
		`> network +back after`,
		`= kiosk-1 +outbox empty after \d+ ms`,
		`= car-1 +outbox empty after \d+ ms`,
		`= wearables-1 +outbox empty after \d+ ms`,

		`balance: (\d+) decisions on devices, (\d+) at the hub, 0 lost, 0 twice: it holds`,
	} {
		found := regexp.MustCompile(want).FindStringIndex(text[at:])
		if found == nil {
			t.Fatalf("no %s after\n%s\nin\n%s", want, text[:at], text)
		}
		at += found[1]
	}
	sum := regexp.MustCompile(`balance: (\d+) decisions on devices, (\d+) at`).FindStringSubmatch(text)
	if sum[1] != sum[2] || sum[1] == "0" {
		t.Errorf("balance of %s and %s", sum[1], sum[2])
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Ctrl-C in the middle ends it cleanly.
func TestDemoIsInterrupted(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &until{text: "Just bought", then: cancel}
	var talk strings.Builder
	if code := run(ctx, []string{"demo", "--keep"}, strings.NewReader(""), out, &talk); code != 1 || !strings.Contains(talk.String(), "stopped") {
		t.Errorf("exit code %d, %q", code, talk.String())
	}
	if strings.Contains(out.all.String(), "The balance") {
		t.Error("it went on to the end")
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// until does something when a text was written.
type until struct {
	all  strings.Builder
	text string
	then func()
}

func (u *until) Write(p []byte) (int, error) {
	u.all.Write(p)
	if strings.Contains(string(p), u.text) {
		u.then()
	}
	return len(p), nil
}

func TestDemoRefusesArguments(t *testing.T) {
	var out, talk strings.Builder
	if code := run(t.Context(), []string{"demo", "now"}, strings.NewReader(""), &out, &talk); code != 2 || out.Len() > 0 {
		t.Errorf("exit code %d, %q", code, talk.String())
	}
}
