package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/wire"
)

// shop is a policy with facts, one of them a vehicle's, and consent.
func shop() []byte {
	return catalog.Encode(&catalog.Bundle{Name: "shop", Version: 1, Currency: "EUR", Languages: []string{"en", "nl"}, Zone: sense.UTC, VisitEnds: 10 * sense.Minute,
		Purposes: []catalog.Purpose{{Name: "offers", Basis: catalog.BasisConsent, Unasked: -1, Born: -1},
			{Name: "service", Basis: catalog.BasisContract, Unasked: -1, Born: -1, For: catalog.Text{"to help you", "om u te helpen"}}},
		Facts: []catalog.Fact{
			{Name: "name", Kind: sense.String, Purposes: 2, Keep: sense.Year, Fresh: sense.Forever, Why: catalog.Text{"to greet you", "om u te begroeten"}},
			{Name: "tyres", Kind: sense.String, Owner: "vehicle", Purposes: 2, Keep: sense.Year, Fresh: sense.Forever},
		},
		Kinds: []catalog.Kind{{Name: "complaint", Keep: sense.Year, Purposes: 2, Negative: true, Means: catalog.MeansComplained, OpenUntil: 1, ClosedBy: -1, CoolOff: sense.Day},
			{Name: "resolved", Keep: sense.Year, Purposes: 2, OpenUntil: -1, ClosedBy: -1}},
		Slots: []catalog.Slot{{Name: "home", Channel: "kiosk", Fallback: -1, ShowFor: 30 * sense.Second}},
		Actions: []catalog.Action{{Name: "help", Intent: catalog.Service, Purpose: 1, Group: -1, Slots: []int32{0}, Before: -1, Measure: -1, Partner: -1, Asks: -1, Confirms: -1, Serves: -1,
			Eligible: rule.None, Applicable: rule.None, Suitable: rule.None, Lever: catalog.One, Repeat: sense.Forever}},
	})
}

// startShop starts a hub with that policy in charge.
func startShop(t *testing.T, dir, broker string, now func() sense.Instant) *Hub {
	t.Helper()
	public, secret, err := update.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: dir, Tenant: "shop", HTTP: "127.0.0.1:0", Sources: map[string]string{"crm": token, "mail": "secret-of-mail"}, Trusted: []update.PublicKey{public}, Now: now}
	cfg.Broker.Address = broker
	h, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	file := shop()
	signature, err := update.Sign(file, secret, "shop@1")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish(context.Background(), file, signature, ""); err != nil {
		t.Fatal(err)
	}
	return h
}

// post feeds lines, all of which must be taken.
func (h *Hub) post(t *testing.T, lines ...string) Taken {
	t.Helper()
	code, body := call(t, "POST", h.URL()+"/v1/events", token, "", strings.Join(lines, "\n"))
	var taken Taken
	if err := json.Unmarshal([]byte(body), &taken); err != nil || code != 200 || taken.Accepted != len(lines) {
		t.Fatalf("%d %s, %v", code, body, err)
	}
	return taken
}

// known has a device know a customer: by a record of its log and by a slice.
func (d *device) known(hubKey []byte, h wire.Handle, customer string, more ...wire.Record) {
	d.t.Helper()
	sealed, err := wire.SealToHub(hubKey, [32]byte{h[0], 7}, h, customer)
	if err != nil {
		d.t.Fatal(err)
	}
	d.request(&wire.SliceRequest{ID: "s", Handle: h, Customer: sealed, Owners: []wire.Owner{{Kind: "vehicle", ID: "van-1"}}})
	hear[*wire.Slice](d, wire.ClassSlice)
	now := time.Now().UnixMilli()
	d.records(1, append([]wire.Record{&wire.Identified{At: now, Handle: h, Sealed: sealed, By: uint8(event.ByCard)}}, more...)...)
	hear[*wire.Ack](d, wire.ClassAck)
}

func (d *device) records(first uint64, records ...wire.Record) {
	d.t.Helper()
	b := &wire.Batch{Device: d.path.Device, Epoch: 7, First: first, Clock: sense.ClockSynced}
	for _, r := range records {
		raw, err := wire.AppendRecord(nil, r)
		if err != nil {
			d.t.Fatal(err)
		}
		b.Records = append(b.Records, raw)
	}
	msg, err := d.pack.Encode(b)
	if err != nil {
		d.t.Fatal(err)
	}
	d.publish(d.path.Of(wire.Up, wire.ClassLog), msg)
}

// files reads every file below a folder.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Journey 30 end to end: what was told of her by the back office and by a device is in no file of the
// hub any more, each device confirms, and the receipt says so.
func TestForgottenIsInNoFile(t *testing.T) {
	b, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	dir := t.TempDir()
	h := startShop(t, dir, b.Address(), nil)
	until(t, "the hub to hear itself", h.counts.heard.Load)
	const (
		name, id, card, ref, text, vehicle = "Rumpelstiltskin", "crm:rapunzel", "card:cinderella", "ref-of-snow-white", "text-of-the-frog", "tyres-of-the-van"
	)
	secrets := []string{name, id, card, ref, text, "Schneewittchen"}
	h.post(t, `{"merge":["`+id+`","`+card+`"]}`, `{"fact":"name","customer":"`+id+`","value":"`+name+`","provenance":"declared"}`,
		`{"fact":"tyres","owner":"van-1","value":"`+vehicle+`","provenance":"observed"}`,
		`{"interaction":"complaint","customer":"`+card+`","ref":"`+ref+`"}`,
		`{"consent":"offers","customer":"`+id+`","granted":true,"text":"`+text+`"}`)
	key := h.keys.open.PublicKey().Bytes()
	kiosk, car := newDevice(t, b.Address(), "kiosk-1", h.SignKey()), newDevice(t, b.Address(), "car-1", h.SignKey())
	now := time.Now().UnixMilli()
	kiosk.known(key, wire.Handle{1}, card,
		&wire.Fact{At: now, Happened: now, Handle: wire.Handle{1}, Name: wire.Named("name"), Value: wire.ValueOf(sense.StringValue("Schneewittchen")), Provenance: uint8(event.Declared)},
		&wire.Interaction{At: now, Happened: now, Handle: wire.Handle{1}, What: wire.Named("complaint"), Ref: ref},
		&wire.Decision{N: 1, At: now, Session: wire.Named("main"), Slot: wire.Named("home"), Action: wire.Named("help"), Handle: wire.Handle{1}})
	car.known(key, wire.Handle{2}, id)
	for _, s := range append(secrets, vehicle) {
		if !bytes.Contains(files(t, dir), []byte(s)) {
			t.Fatalf("%s is nowhere: the test looks in the wrong place", s)
		}
	}
	// The operator looks at her.
	code, body := call(t, "GET", h.URL()+"/v1/customers/"+card+"?language=nl", h.OperatorToken(), "", "")
	var c Customer
	if err := json.Unmarshal([]byte(body), &c); err != nil || code != 200 {
		t.Fatal(code, body, err)
	}
	if c.Policy != "shop@1" || c.Language != "nl" || len(c.Purposes) != 2 || c.Purposes[1].For != "om u te helpen" || c.Purposes[1].Basis != "contract" || !c.Purposes[0].May ||
		len(c.Facts) != 1 || c.Facts[0].Why != "om u te begroeten" || len(c.Facts[0].Others) != 1 || c.Facts[0].Kept == nil || len(c.Interactions) != 2 ||
		len(c.Made) != 1 || c.Made[0].Decision != "kiosk-1-7-1" || len(c.Devices) != 2 || c.Devices[0].Device != "car-1" || c.Devices[0].State != "pending" ||
		len(c.Devices[0].With) != 1 || c.Devices[0].With[0] != (With{"vehicle", "van-1"}) {
		t.Errorf("account is %s", body)
	}
	began := time.Now()
	taken := h.post(t, `{"forget":"`+card+`"}`)
	if len(taken.Erasures) != 1 || taken.Erasures[0].Line != 1 {
		t.Fatalf("answer is %+v", taken)
	}
	which := taken.Erasures[0].Erasure
	f1, f2 := hear[*wire.Forget](kiosk, wire.ClassSlice), hear[*wire.Forget](car, wire.ClassSlice)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the devices heard after %v", took)
	}
	until(t, "the files to be scrubbed", func() bool { return !h.counts.scrub.Load() })
	all := files(t, dir)
	for _, s := range secrets {
		if bytes.Contains(all, []byte(s)) {
			t.Errorf("%q is in the files of the hub", s)
		}
	}
	if !bytes.Contains(all, []byte(vehicle)) {
		t.Error("what is the vehicle's own went too")
	}
	look := func(token string) (int, Erasure, string) {
		t.Helper()
		code, body := call(t, "GET", h.URL()+"/v1/erasures/"+which, token, "", "")
		if code != 200 {
			return code, Erasure{}, body
		}
		e, err := VerifyReceipt([]byte(body), h.SignKey())
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return code, e, body
	}
	if _, e, body := look(token); e.Completed != nil || len(e.Devices) != 2 || e.Devices[0].How != Waiting || e.Devices[0].Lease == nil || e.By != "crm" {
		t.Errorf("before the receipts: %s", body)
	}
	if code, _, body := look("secret-of-mail"); code != 403 {
		t.Errorf("another source: %d %s", code, body)
	}
	kiosk.records(5, &wire.Forgotten{At: now, ID: f1.ID, Handle: f1.Handle})
	car.records(2, &wire.Forgotten{At: now, ID: f2.ID, Handle: f2.Handle})
	until(t, "both receipts", func() bool { _, e, _ := look(h.OperatorToken()); return e.Completed != nil })
	_, e, receipt := look(h.OperatorToken())
	if e.Devices[0].How != "confirmed" || e.Devices[1].How != "confirmed" || e.Devices[1].At == nil || e.Tenant != "shop" || len(e.Left) == 0 {
		t.Errorf("receipt is %s", receipt)
	}
	for _, s := range secrets {
		if strings.Contains(receipt, s) {
			t.Errorf("the receipt tells %q", s)
		}
	}
	if _, err := VerifyReceipt([]byte(strings.Replace(receipt, "confirmed", "lease_ended", 1)), h.SignKey()); err == nil {
		t.Error("a changed receipt is right")
	}
	if n, err := h.Ledger().Count(context.Background()); err != nil || n.Decisions != 1 || n.Customers != 0 || n.Entries != 1 {
		t.Errorf("left are %+v, %v", n, err)
	}
	for path, want := range map[string]string{"/v1/erasures?open=true": `{"erasures":[],"next":null}`, "/v1/erasures?limit=1": `"next":"` + which, "/v1/erasures/0123456789abcdef": "no erasure",
		"/v1/erasures?limit=0": "1 to 1000", "/v1/erasures?of=x": "after, limit, open", "/v1/customers/a?tongue=nl": "none of language"} {
		if _, body := call(t, "GET", h.URL()+path, h.OperatorToken(), "", ""); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	views, err := os.ReadFile(filepath.Join(dir, ViewsFile))
	if err != nil || bytes.Count(views, []byte("\n")) != 1 || !bytes.Contains(views, []byte(`"by":"operator"`)) {
		t.Errorf("looks are %s, %v", views, err)
	}
}

// Journey 40 over the wire: what is withdrawn at one device stands at the hub and at the others within a second.
func TestConsentWithdrawnWithinASecond(t *testing.T) {
	b, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	h := startShop(t, t.TempDir(), b.Address(), nil)
	until(t, "the hub to hear itself", h.counts.heard.Load)
	h.post(t, `{"consent":"offers","customer":"a","granted":true}`)
	key := h.keys.open.PublicKey().Bytes()
	kiosk, car := newDevice(t, b.Address(), "kiosk-1", h.SignKey()), newDevice(t, b.Address(), "car-1", h.SignKey())
	kiosk.known(key, wire.Handle{1}, "a")
	car.known(key, wire.Handle{2}, "a")
	denied := func(m wire.DownMessage) bool {
		switch m := m.(type) {
		case *wire.Slice:
			return len(m.Consents) == 1 && !m.Consents[0].Granted
		case *wire.Delta:
			return len(m.Consents) == 1 && !m.Consents[0].Granted
		}
		return false
	}
	began := time.Now()
	now := began.UnixMilli() + 1
	kiosk.records(2, &wire.Consent{At: now, Happened: now, Handle: wire.Handle{1}, Purpose: wire.Named("offers")})
	for heard := false; !heard; {
		m, err := wire.DecodeDown(wire.ClassSlice, car.hear(wire.ClassSlice))
		if err != nil {
			t.Fatal(err)
		}
		heard = denied(m)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the other device heard after %v", took)
	}
	code, body := call(t, "POST", h.URL()+"/v1/may", token, "", `{"customer":"a","intent":"sales","channel":"mail","purpose":"offers"}`)
	if code != 200 || !strings.Contains(body, "consent_withdrawn") {
		t.Errorf("%d %s", code, body)
	}
}

func TestSuppressions(t *testing.T) {
	at := sense.Instant(1_772_442_000_000)
	now := at
	h := startShop(t, t.TempDir(), "", func() sense.Instant { return now })
	var lines []string
	for k := range 600 {
		lines = append(lines, fmt.Sprintf(`{"interaction":"complaint","customer":"c:%03d","ref":"r"}`, k))
		if k%2 == 0 {
			lines = append(lines, fmt.Sprintf(`{"interaction":"resolved","customer":"c:%03d","ref":"r"}`, k))
		}
	}
	lines = append(lines, `{"merge":["c:001","mail:1"]}`, `{"fact":"name","customer":"z","value":"fine","provenance":"declared"}`, `{"forget":"c:003"}`)
	h.post(t, lines...)
	type page struct {
		Suppressions []Suppression
		Next         *string
	}
	get := func(query string) (p page) {
		t.Helper()
		code, body := call(t, "GET", h.URL()+"/v1/suppressions?"+query, token, "", "")
		if err := json.Unmarshal([]byte(body), &p); err != nil || code != 200 {
			t.Fatalf("%s: %d %s", query, code, body)
		}
		return p
	}
	all := get("")
	if len(all.Suppressions) != 599 || all.Next != nil {
		t.Fatalf("%d, next %v", len(all.Suppressions), all.Next)
	}
	one, two := all.Suppressions[0], all.Suppressions[1]
	if one.Customer != "c:000" || one.May || *one.Reason != "complaint_cool_off" || one.Until == nil || *one.Until != at.Add(sense.Day).String() {
		t.Errorf("first is %+v", one)
	}
	if two.Customer != "c:001" || *two.Reason != "open_complaint" || two.Until != nil || strings.Join(two.IDs, " ") != "c:001 mail:1" {
		t.Errorf("second is %+v", two)
	}
	// The same a part at a time.
	var paged []Suppression
	for after, pages := "", 0; ; pages++ {
		p := get("limit=270&after=" + after)
		paged = append(paged, p.Suppressions...)
		if p.Next == nil {
			if pages != 2 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		after = *p.Next
	}
	if len(paged) != 599 || paged[598].Customer != all.Suppressions[598].Customer {
		t.Errorf("in parts: %d", len(paged))
	}
	// A day later: who was put right may be approached again, and says so where asked since.
	now = at.Add(sense.Day)
	h.post(t, `{"interaction":"resolved","customer":"c:001","ref":"r"}`, `{"interaction":"resolved","customer":"c:005","ref":"r","at":"2026-03-02T09:30:00Z"}`, `{"fact":"name","customer":"z","value":"new","provenance":"declared"}`)
	if p := get("limit=10000"); len(p.Suppressions) != 299 {
		t.Errorf("a day later: %d", len(p.Suppressions))
	}
	p := get("since=" + now.String())
	if len(p.Suppressions) != 2 || p.Suppressions[0].Customer != "c:001" || p.Suppressions[0].May || p.Suppressions[1].Customer != "z" || !p.Suppressions[1].May || p.Suppressions[1].Reason != nil {
		t.Errorf("since: %+v", p.Suppressions)
	}
	if p := get("intent=service&purpose=service"); len(p.Suppressions) != 0 {
		t.Errorf("service: %+v", p.Suppressions[0])
	}
	for query, want := range map[string]string{"intent=x": "none of sales", "since=today": "RFC 3339", "limit=-1": "1 to 10000", "purpose=x": "not declared", "about=x": "type:id", "who=x": "about, after, channel"} {
		if code, body := call(t, "GET", h.URL()+"/v1/suppressions?"+query, token, "", ""); code != 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
}

// A hub that is killed between an erasure and the scrubbing of its files does it at the next start.
func TestFilesAreScrubbedAtStart(t *testing.T) {
	dir := t.TempDir()
	h := startShop(t, dir, "", nil)
	h.post(t, `{"fact":"name","customer":"a","value":"Rumpelstiltskin","provenance":"declared"}`)
	copied := t.TempDir()
	copyTo := func(name string) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What a crash leaves: file and log as they are while the hub runs, the erasure in the log alone.
	tx, err := h.ledger.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.ParseLine([]byte(`{"forget":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.forgetAlone(tx, e); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{LedgerFile, LedgerFile + "-wal", signKeyFile, openKeyFile, secretFile, OperatorFile} {
		copyTo(name)
	}
	if !bytes.Contains(files(t, copied), []byte("Rumpelstiltskin")) {
		t.Fatal("the crash left nothing: the test proves nothing")
	}
	again := start(t, copied, "")
	until(t, "the files to be scrubbed", func() bool { return !again.counts.scrub.Load() })
	if bytes.Contains(files(t, copied), []byte("Rumpelstiltskin")) {
		t.Error("the value is in the files")
	}
}

// forgetAlone takes a forget as a hub does that ends right after its commit.
func (h *Hub) forgetAlone(tx ledger.Tx, e event.Event) error {
	if _, err := h.mind.Round(tx, h.cfg.Now(), []hub.Input{hub.FromSource{Source: "crm", Event: e}}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
