package demo

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Ids of the customers, as silos and devices know them. The hub joins Anna's two.
const (
	annaCRM  = "crm:77"
	annaCard = "card:1001"
	bram     = "app:bram"
	cleo     = "app:cleo"
)

// Sessions of the wearable gateway: it serves several people at once.
const (
	annaWrist = "anna"
	cleoWrist = "cleo"
)

// setUp compiles, signs and publishes the policy, and waits for it on the devices.
func (s *story) setUp(ctx context.Context) error {
	s.t.chapter("", "Tact on one machine", "A broker, a hub and three devices on free loopback ports, each as it runs in the field: a kiosk in a shop, a car, a gateway for watches. They know nothing yet.")
	s.t.say("    %s", s.t.paint(dim, "Read:  > what came in   = what was decided or measured   not: what was not chosen, and why [reason]"))
	if err := s.begin(); err != nil {
		return err
	}
	s.t.policy = s.policy
	s.t.in("author", "policy %s: %d actions, compiled and signed with a key made just now, %.1f kB", s.name(), len(s.policy.Actions), float64(len(s.file))/1000)
	if err := s.start(ctx); err != nil {
		return err
	}
	s.t.wait("devices connect")
	posted := time.Now()
	if err := s.office.publish(ctx, s.file, s.signed); err != nil {
		return err
	}
	s.t.in("operator", "publishes it to the hub; it goes to the devices by MQTT")
	for _, d := range s.devices() {
		if _, err := d.until(ctx, "takes the policy", func(x *status) bool { return x.Bundle == s.name() && x.Online }); err != nil {
			return err
		}
		s.t.fact(d.name, "checked the signature, %s is in charge after %s", s.name(), milliseconds(time.Since(posted)))
	}
	s.people.wear(annaWrist)
	s.people.weather(-3)
	if err := s.live(ctx); err != nil {
		return err
	}
	s.read(ctx, 1500*time.Millisecond)
	return nil
}

// justBought is journey 01.
func (s *story) justBought(ctx context.Context) error {
	t := s.t
	t.chapter("01", "Just bought", "Anna bought a model X three weeks ago. A campaign now offers that very model, with EUR 1,000 off.")
	bought := ago(21)
	err := s.office.post(ctx, crm, line("merge", []string{annaCRM, annaCard}),
		line("fact", "name.first", "customer", annaCRM, "value", "Anna", "provenance", "declared"),
		line("consent", "offers", "customer", annaCRM, "granted", true))
	if err != nil {
		return err
	}
	if err := s.office.post(ctx, shop, line("at", bought, "interaction", "purchase", "customer", annaCRM, "about", "product:model-x", "channel", "shop")); err != nil {
		return err
	}
	t.in(crm, "%s and %s are both Anna; she agreed to personal offers", annaCRM, annaCard)
	t.in(shop, "she bought product:model-x on %s", bought[:10])
	if err := s.meet(ctx, s.kiosk, main, annaCard, "card", "name.first"); err != nil {
		return err
	}
	t.in(s.kiosk.name, "Anna taps her card; her profile came from the hub; kiosk.home asks what to show")
	d, err := s.kiosk.ask(ctx, main, "kiosk.home")
	if err != nil {
		return err
	}
	t.decided(s.kiosk.name, d)
	if d.Action != "first-service" || !d.lost("model-x-1000-off", "already_bought") {
		return s.wrong("the kiosk must offer the first service, and not what was just bought")
	}
	if err := s.mail(ctx, "product:model-x", "already_bought"); err != nil {
		return err
	}
	s.read(ctx, 2500*time.Millisecond)
	if err := s.kiosk.post(ctx, line("outcome", "accepted", "decision", "last", "slot", "kiosk.home")); err != nil {
		return err
	}
	t.in(s.kiosk.name, "Anna says yes to the service")
	s.read(ctx, 1500*time.Millisecond)
	return nil
}

// meet identifies a customer at a device and waits until the profile is there,
// with what is named.
func (s *story) meet(ctx context.Context, d *device, session, customer, by, name string) error {
	if err := d.post(ctx, line("identify", customer, "by", by, "session", session)); err != nil {
		return err
	}
	return s.learns(ctx, d, session, name)
}

// learns waits until a fact or an interaction has come to a device.
func (s *story) learns(ctx context.Context, d *device, session, name string) error {
	s.t.wait(d.name + " hears from the hub")
	return until(ctx, d.name+" hears of "+name+" from the hub", func() (bool, error) {
		known, err := d.known(ctx, session)
		return err == nil && known.Slice && known.has(name), err
	})
}

// mail asks for the mailing tool, and tells the answer; reason "" is a yes.
func (s *story) mail(ctx context.Context, about, reason string) error {
	v, err := s.office.may(ctx, annaCRM, about, "mail")
	if err != nil {
		return err
	}
	if v.reason() != reason || v.May != (reason == "") {
		return s.wrong("the hub must answer the mailing tool %q, and said %q", reason, v.reason())
	}
	if v.May {
		s.t.fact(mailer, "may I mail her about %s? The hub says yes", about)
		return nil
	}
	end := ""
	if v.Until != nil {
		end, _, _ = strings.Cut(", until "+*v.Until, "T")
	}
	s.t.fact(mailer, "may I mail her about %s? The hub says no%s: %s %s", about, end, s.t.plain(reason), s.t.code(reason))
	return nil
}

// wrong is a step that went otherwise than it must.
func (s *story) wrong(format string, args ...any) error {
	return fmt.Errorf("this is not as it must be: "+format, args...)
}

// noise is journey 28.
func (s *story) noise(ctx context.Context) error {
	t := s.t
	t.chapter("28", "Noise", "The screen at the till could sell Anna a wiper blade for a euro. One in twenty-five says yes; each who is asked is bothered a little.")
	t.in(s.kiosk.name, "kiosk.till asks what to show; it is dry")
	if err := s.kiosk.post(ctx, line("signal", "rain", "value", false)); err != nil {
		return err
	}
	d, err := s.kiosk.ask(ctx, main, "kiosk.till")
	if err != nil {
		return err
	}
	t.decided(s.kiosk.name, d)
	if d.Action != silence || d.Cause != "not_worth_bother" {
		return s.wrong("silence because of not_worth_bother, and it is %s %s", d.Action, d.Cause)
	}
	s.read(ctx, 2500*time.Millisecond)
	if err := s.kiosk.post(ctx, line("signal", "rain", "value", true)); err != nil {
		return err
	}
	t.in(s.kiosk.name, "it begins to rain; kiosk.till asks again")
	if d, err = s.kiosk.ask(ctx, main, "kiosk.till"); err != nil {
		return err
	}
	t.decided(s.kiosk.name, d)
	if d.Action != "wiper-set" {
		return s.wrong("a set is worth its bother in the rain, and it is %s %s", d.Action, d.Cause)
	}
	s.read(ctx, 2000*time.Millisecond)
	return nil
}

// booked is journey 16.
func (s *story) booked(ctx context.Context) error {
	t := s.t
	t.chapter("16", "Hotel already booked", "Anna said that she goes to Italy. Kiosk, car and mail all offer a hotel in Rome; then she books it on the website.")
	if err := s.office.post(ctx, shop, line("fact", "trip.to", "customer", annaCRM, "value", "italy", "provenance", "declared")); err != nil {
		return err
	}
	t.in(shop, "Anna told the website where she goes: Italy")
	if err := s.meet(ctx, s.kiosk, main, annaCard, "card", "trip.to"); err != nil {
		return err
	}
	if err := s.meet(ctx, s.car, main, annaCard, "login", "trip.to"); err != nil {
		return err
	}
	marks := []int{s.kiosk.mark(), s.car.mark()}
	slots := []string{"kiosk.travel", "dash.card"}
	devices := []*device{s.kiosk, s.car}
	for k, d := range devices {
		got, err := s.offered(ctx, d, main, slots[k])
		if err != nil {
			return err
		}
		if got.Action != "hotel-rome" {
			return s.wrong("%s must offer the hotel in Rome, and it is %s %s", d.name, got.Action, got.Cause)
		}
		t.fact(d.name, "%s %s, worth EUR %s", t.paint(green, got.Action), spoken(got.Text), got.Value)
	}
	if err := s.mail(ctx, "hotel:rome", ""); err != nil {
		return err
	}
	s.read(ctx, 2500*time.Millisecond)
	posted := time.Now()
	if err := s.office.post(ctx, shop, line("interaction", "booking", "customer", annaCRM, "about", "hotel:rome", "channel", "web", "ref", "b1")); err != nil {
		return err
	}
	t.in(shop, "Anna books hotel:rome")
	for k, d := range devices {
		heard, err := d.cleared(ctx, marks[k], main, slots[k], "goal_reached")
		if err != nil {
			return err
		}
		t.fact(d.name, "takes it down after %s %s", t.paint(bold, milliseconds(heard.Sub(posted))), t.code("goal_reached"))
	}
	if err := s.mail(ctx, "hotel:rome", "goal_reached"); err != nil {
		return err
	}
	t.in(s.kiosk.name, "kiosk.travel asks again")
	d, err := s.kiosk.ask(ctx, main, "kiosk.travel")
	if err != nil {
		return err
	}
	t.decided(s.kiosk.name, d)
	if d.Action != "hotel-milan" || !d.lost("hotel-rome", "goal_reached") {
		return s.wrong("Milan stays, Rome does not; and it is %s %s", d.Action, d.Cause)
	}
	s.read(ctx, 2500*time.Millisecond)
	return nil
}

// offered asks what to show, until a device that may be moving knows for certain
// that it stands, and says something. Each ask is a decision and counts.
func (s *story) offered(ctx context.Context, d *device, session, slot string) (got *decision, err error) {
	s.t.wait(d.name + " makes sure that nobody drives")
	err = until(ctx, d.name+" has something to say in "+slot, func() (bool, error) {
		if got, err = d.ask(ctx, session, slot); err != nil {
			return false, err
		}
		if got.Action == silence {
			pause(ctx, sensorsEvery)
		}
		return got.Action != silence, nil
	})
	return got, err
}

// complaint is journey 02.
func (s *story) complaint(ctx context.Context) error {
	t := s.t
	t.chapter("02", "A complaint in another system", "Three devices hold Anna and are selling her something. She calls and complains; the agent on the phone types it into the CRM.")
	if err := s.meet(ctx, s.wearable, annaWrist, annaCard, "login", "name.first"); err != nil {
		return err
	}
	screens := []struct {
		d             *device
		session, slot string
	}{{s.kiosk, main, "kiosk.home"}, {s.car, main, "dash.card"}, {s.wearable, annaWrist, "wrist"}}
	marks := make([]int, len(screens))
	for k, x := range screens {
		got, err := s.offered(ctx, x.d, x.session, x.slot)
		if err != nil {
			return err
		}
		if got.Action != "roof-box" {
			return s.wrong("%s must sell something, and it is %s %s", x.d.name, got.Action, got.Cause)
		}
		t.fact(x.d.name, "%s %s, worth EUR %s", t.paint(green, got.Action), spoken(got.Text), got.Value)
		marks[k] = x.d.mark()
	}
	s.read(ctx, 1500*time.Millisecond)
	posted := time.Now()
	if err := s.office.post(ctx, crm, line("interaction", "complaint", "customer", annaCRM, "channel", "phone", "ref", "c1")); err != nil {
		return err
	}
	t.in(crm, "complaint c1 of %s, by phone", annaCRM)
	for k, x := range screens {
		heard, err := x.d.cleared(ctx, marks[k], x.session, x.slot, "open_complaint")
		if err != nil {
			return err
		}
		t.fact(x.d.name, "held its sales after %s %s", t.paint(bold, milliseconds(heard.Sub(posted))), t.code("open_complaint"))
	}
	if err := s.mail(ctx, "product:roof-box", "open_complaint"); err != nil {
		return err
	}
	for k, x := range screens {
		var got *decision
		var err error
		if x.d == s.kiosk {
			t.in(s.kiosk.name, "kiosk.home asks what to show")
			got, err = x.d.ask(ctx, x.session, x.slot)
		} else { // unasked slots speak first
			got, _, err = x.d.decided(ctx, marks[k], x.session, x.slot, "recovery-call", func(*decision) bool { return true })
		}
		if err != nil {
			return err
		}
		if x.d == s.kiosk {
			t.decided(x.d.name, got)
		} else {
			t.fact(x.d.name, "%s, without being asked", t.paint(green, got.Action))
		}
		if got.Action != "recovery-call" || !got.lost("roof-box", "open_complaint") {
			return s.wrong("%s must make it good first, and it is %s %s", x.d.name, got.Action, got.Cause)
		}
	}
	s.read(ctx, 2500*time.Millisecond)
	return s.resolved(ctx)
}

// resolved ends the complaint: sales stay held for a while.
func (s *story) resolved(ctx context.Context) error {
	t := s.t
	if err := s.office.post(ctx, crm, line("interaction", "resolved", "customer", annaCRM, "channel", "phone", "ref", "c1")); err != nil {
		return err
	}
	t.in(crm, "complaint c1 is resolved")
	if err := s.learns(ctx, s.wearable, annaWrist, "resolved"); err != nil {
		return err
	}
	t.in(s.wearable.name, "wrist asks what to show")
	got, err := s.wearable.ask(ctx, annaWrist, "wrist")
	if err != nil {
		return err
	}
	t.decided(s.wearable.name, got)
	if got.Action != silence || got.Cause != "complaint_cool_off" {
		return s.wrong("sales stay held for 14 days, and it is %s %s", got.Action, got.Cause)
	}
	if err := s.mail(ctx, "product:roof-box", "complaint_cool_off"); err != nil {
		return err
	}
	s.read(ctx, 2500*time.Millisecond)
	return nil
}
