package demo

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// freezing is journey 08. The drive begins here and ends in border.
func (s *story) freezing(ctx context.Context) error {
	t := s.t
	t.chapter("08", "Freezing, winter tyres, speed high", "Bram takes the car. He has agreed to nothing. A sponsor pays EUR 10,000 for an eye of everybody who drives over 100 km/h.")
	err := s.office.post(ctx, crm, line("fact", "name.first", "customer", bram, "value", "Bram", "provenance", "declared"),
		line("fact", "vehicle.tyres", "owner", "car-1", "value", "winter", "provenance", "observed"))
	if err != nil {
		return err
	}
	t.in(crm, "the workshop fitted winter tyres on car-1")
	if err := s.meet(ctx, s.car, main, bram, "login", "vehicle.tyres"); err != nil {
		return err
	}
	t.in(s.car.name, "Bram takes the wheel; it is -3 °C")
	mark := s.car.mark()
	s.receiver.Go()
	t.in(s.car.name, "drives off: the receiver plays a recorded drive at %d times its speed, to 118 km/h", s.drive)
	t.wait("the car speeds up")
	d, _, err := s.car.decided(ctx, mark, main, "dash.card", "slow-down", func(x *decision) bool { return x.Action == "slow-down" })
	if err != nil {
		return err
	}
	t.decided(s.car.name, d)
	if !d.lost("faster-car", "at_the_wheel") {
		return s.wrong("no money buys the driver's eyes")
	}
	t.fact("", "faster-car was worth EUR %s. Quiet is judged before money, and only safety passes;", t.price("faster-car"))
	t.fact("", "it needs no consent: care is a legitimate interest.")
	return nil
}

// border is journey 07, with the network cut.
func (s *story) border(ctx context.Context) error {
	t := s.t
	t.chapter("07", "Over the border, without a network", "Bram in the car and Cleo on foot come to the border. Both agreed to be located and to be approached unasked; then the network goes.")
	if err := s.toTheBorder(ctx); err != nil {
		return err
	}
	s.network.Cut()
	cut := time.Now()
	t.in("network", "%s", t.paint(red, "cut between the devices and the broker"))
	before := map[*device]uint64{}
	for _, d := range s.devices() {
		x, err := d.until(ctx, "notices that the network is gone", func(x *status) bool { return !x.Online })
		if err != nil {
			return err
		}
		before[d] = x.waiting()
	}
	mark := s.wearable.mark()
	s.receiver.Open()
	s.people.walk(12)
	if err := s.crossing(ctx, mark); err != nil {
		return err
	}
	for _, d := range s.devices() {
		x, err := d.status(ctx)
		if err != nil {
			return err
		}
		if x.waiting() <= before[d] {
			return s.wrong("%s went on deciding, and its outbox did not grow", d.name)
		}
		t.fact(d.name, "went on deciding: %s", records(before[d], x.waiting()))
	}
	s.read(ctx, 1500*time.Millisecond)
	s.network.Mend()
	t.in("network", "%s", t.paint(green, "back after "+time.Since(cut).Round(100*time.Millisecond).String()))
	back := time.Now()
	t.wait("the outboxes drain")
	for _, d := range s.devices() {
		if _, err := d.until(ctx, "drains its outbox", func(x *status) bool { return x.Online && x.waiting() == 0 }); err != nil {
			return err
		}
		t.fact(d.name, "outbox empty after %s: the hub has all of it", milliseconds(time.Since(back)))
	}
	s.read(ctx, 1500*time.Millisecond)
	return nil
}

// records tells how an outbox grew.
func records(before, now uint64) string {
	return fmt.Sprintf("its outbox grew from %d records to %d", before, now)
}

// toTheBorder brings the consents to the devices and both people to the border.
func (s *story) toTheBorder(ctx context.Context) error {
	t := s.t
	yes := func(customer string) (lines []string) {
		for _, purpose := range []string{"offers", "offers.unasked", "location"} {
			lines = append(lines, line("consent", purpose, "customer", customer, "granted", true))
		}
		return lines
	}
	x, err := s.car.status(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(x.Signals, "position") {
		return s.wrong("the car reads its position without consent")
	}
	posted := time.Now()
	if err := s.office.post(ctx, crm, append(append(yes(bram), yes(cleo)...), line("fact", "name.first", "customer", cleo, "value", "Cleo", "provenance", "declared"))...); err != nil {
		return err
	}
	t.in(crm, "Bram and Cleo agree to offers, unasked too, and to being located, in the app")
	// Warmer: else the next ask at this speed would be answered with slow-down again.
	s.people.weather(4)
	s.people.wear(cleoWrist)
	s.people.stand(cleoWrist, -3.9)
	if err := s.meet(ctx, s.wearable, cleoWrist, cleo, "login", "name.first"); err != nil {
		return err
	}
	s.people.walk(-1.5) // certain inside ends at -3, certain outside begins at 3
	t.wait("the car learns that it may read its position")
	if _, err = s.car.until(ctx, "may read its position", func(x *status) bool { return slices.Contains(x.Signals, "position") }); err != nil {
		return err
	}
	t.fact(s.car.name, "reads its position from now on, %s after the consent; until then it did not", milliseconds(time.Since(posted)))
	t.wait("both come near the border")
	return until(ctx, "both come near the border", func() (bool, error) { return s.receiver.passed(-gateBefore) && s.people.arrived(), nil })
}

// passersBy is how many people stop at the till while the network is away.
const passersBy = 3

// crossing is what the devices decide while they are alone; wristMark is from
// before the walker went on.
func (s *story) crossing(ctx context.Context, wristMark int) error {
	t := s.t
	t.wait("over the border")
	if err := until(ctx, "the car crosses the border", func() (bool, error) { return s.receiver.passed(3), nil }); err != nil {
		return err
	}
	t.in(s.car.name, "crosses the border, it is +4 °C; the dashboard asks what to show")
	got, err := s.car.ask(ctx, main, "dash.card")
	if err != nil {
		return err
	}
	t.decided(s.car.name, got)
	if got.Action != silence || got.Cause != "at_the_wheel" {
		return s.wrong("at the wheel nothing but safety is shown, and it is %s %s", got.Action, got.Cause)
	}
	carMark := s.car.mark()
	if err := s.kiosk.post(ctx, line("identify", nil)); err != nil {
		return err
	}
	for range passersBy {
		if got, err = s.kiosk.ask(ctx, main, "kiosk.till"); err != nil {
			return err
		}
		if got.Action != "wiper-set" {
			return s.wrong("what reads nothing personal may be shown to anybody, and it is %s %s", got.Action, got.Cause)
		}
	}
	t.fact(s.kiosk.name, "Anna has left; for %d passers-by in the rain: %s, which reads nothing personal", passersBy, t.paint(green, got.Action))
	t.wait("Cleo walks over the border, Bram brakes")
	insured := func(x *decision) bool { return x.Action == "travel-insurance" }
	got, _, err = s.wearable.decided(ctx, wristMark, cleoWrist, "wrist", "travel-insurance", insured)
	if err != nil {
		return err
	}
	t.in(s.wearable.name, "Cleo walks over the border")
	t.decided(s.wearable.name, got)
	if got, _, err = s.car.decided(ctx, carMark, main, "dash.card", "travel-insurance", insured); err != nil {
		return err
	}
	t.in(s.car.name, "Bram has stopped; 2 s later nobody drives any more")
	t.decided(s.car.name, got)
	if n := s.car.count(carMark, insured); n != 1 {
		return s.wrong("the car shows it once, and it was %d times", n)
	}
	return nil
}
