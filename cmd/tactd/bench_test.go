package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/firmware/update"
)

// build makes the daemon as it is shipped.
func build(b *testing.B, arch string) string {
	b.Helper()
	if out, err := exec.Command("make", "-s", "-C", "../..", "bin/tactd-linux-"+arch).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join("..", "..", "bin", "tactd-linux-"+arch)
}

func BenchmarkSize(b *testing.B) {
	for _, arch := range []string{"amd64", "arm64", "armv7", "riscv64"} {
		b.Run(arch, func(b *testing.B) {
			info, err := os.Stat(build(b, arch))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
			}
			figure := "tactd.size." + arch
			b.ReportMetric(float64(info.Size())/1e6, figure+":MB")
			b.ReportMetric(10, figure+":MB:at-most")
		})
	}
}

// thousand is a policy of a thousand actions, signed.
func thousand(b *testing.B) (bundle, key string) {
	b.Helper()
	dir := b.TempDir()
	var y bytes.Buffer
	y.WriteString("policy: bench\nversion: 1\ncurrency: EUR\nlanguages: [en]\nzone: Europe/Amsterdam\n" +
		"purposes:\n  service: {basis: contract, for: {en: \"to help\"}}\nsignals:\n")
	for k := range 20 {
		fmt.Fprintf(&y, "  s%d: {type: double, max_age: 1h}\n", k)
	}
	y.WriteString("slots:\n  home: {channel: kiosk}\nactions:\n")
	for k := range 1000 {
		fmt.Fprintf(&y, "  a%d:\n    intent: information\n    purpose: service\n    slots: [home]\n    applicable: \"s%d > %d.0\"\n    value: %d.00\n    propensity: 0.10\n    bother: 0.05\n    say: {en: \"text %d\"}\n", k, k%20, k%37, 1+k%9, k)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), y.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	compiled, findings, err := policy.Compile(dir)
	if err != nil || compiled == nil {
		b.Fatal(err, findings[:min(3, len(findings))])
	}
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		b.Fatal(err)
	}
	data := catalog.Encode(compiled)
	signature, err := update.Sign(data, secret, "bench@1")
	if err != nil {
		b.Fatal(err)
	}
	bundle, key = filepath.Join(dir, "bench.bundle"), filepath.Join(dir, "bench.pub")
	for path, text := range map[string][]byte{bundle: data, bundle + ".minisig": signature, key: public.Text()} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return bundle, key
}

// BenchmarkStart runs the shipped binary with a thousand actions and a hundred
// customers known to it, and measures from its start to the first decision.
func BenchmarkStart(b *testing.B) {
	path := build(b, "amd64")
	bundle, key := thousand(b)
	dir := b.TempDir()
	env := append(os.Environ(), environ(dir, "TACT_BUNDLE__FILE="+bundle, "TACT_BUNDLE__KEYS="+key, "TACT_LOG__LEVEL=error")...)
	var people strings.Builder
	for k := range 100 {
		fmt.Fprintf(&people, "{\"identify\":\"card:%d\",\"by\":\"card\",\"session\":\"s%d\"}\n", k, k)
	}
	var took []time.Duration
	for round := range 6 {
		began := time.Now()
		cmd := exec.Command(path, "run")
		cmd.Env, cmd.Stderr = env, os.Stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		answer := firstAnswer(b, dir, began)
		took = append(took, time.Since(began))
		if !strings.Contains(answer, "\"policy\":\"bench@1\"") {
			b.Fatalf("answered %s", answer)
		}
		if round == 0 {
			post(b, dir, people.String()) // known from here on
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(took)
	first := took[len(took)/2]
	for b.Loop() {
	}
	b.ReportMetric(float64(first.Microseconds())/1000, "tactd.first_decision:ms")
	b.ReportMetric(100, "tactd.first_decision:ms:at-most")
}

// firstAnswer asks until the agent answers.
func firstAnswer(b *testing.B, dir string, began time.Time) string {
	b.Helper()
	for time.Since(began) < 10*time.Second {
		if answer, err := postOnce(dir, "{\"ask\":\"home\"}"); err == nil {
			return answer
		}
	}
	b.Fatal("no answer within ten seconds")
	return ""
}

func post(b *testing.B, dir, lines string) string {
	b.Helper()
	answer, err := postOnce(dir, lines)
	if err != nil {
		b.Fatal(err)
	}
	return answer
}
