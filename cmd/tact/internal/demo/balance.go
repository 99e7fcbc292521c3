package demo

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/sync/hub/ledger"
)

// account is one device's side of the balance and the hub's.
type account struct {
	device string

	told    int    // decisions that the event stream told, each once
	counted uint64 // the number in the id of the last one: decisions count from 1
	written uint64 // records in the device's log
	waiting uint64

	had      int    // decisions that the hub has of the device
	missing  int    // told by the device, and not at the hub
	foreign  int    // at the hub, and never told by the device
	twice    int    // more than once at the hub
	records  int64  // of the device in the ledger
	last     uint64 // the highest number of them
	findings []ledger.Finding
}

// holds says whether nothing was lost and nothing counted twice.
func (a *account) holds() bool {
	return a.told > 0 && uint64(a.told) == a.counted && a.told == a.had && a.missing == 0 && a.foreign == 0 && a.twice == 0 &&
		a.waiting == 0 && uint64(a.records) == a.written && a.last == a.written && len(a.findings) == 0
}

// balance closes the story.
func (s *story) balance(ctx context.Context) error {
	t := s.t
	t.chapter("", "The balance", "Decisions as the devices told them, against the hub's ledger; records by the numbers that each device's log gave them.")
	t.wait("devices and hub agree")
	var accounts []*account
	all := func() (bool, error) {
		accounts = nil
		report, err := s.hub.Ledger().Verify(ctx)
		if err != nil {
			return false, fmt.Errorf("verify the hub's ledger: %w", err)
		}
		good := true
		for _, d := range s.devices() {
			a, err := s.account(ctx, d, &report)
			if err != nil {
				return false, err
			}
			accounts = append(accounts, a)
			good = good && a.holds()
		}
		return good, nil
	}
	if err := until(ctx, "the balance", all); err != nil && (len(accounts) < len(s.devices()) || ctx.Err() != nil) {
		return err
	}
	return s.tellBalance(accounts)
}

// account looks at both sides of a device. The hub is asked first: what the device
// decides meanwhile is found missing, and the next look is right.
func (s *story) account(ctx context.Context, d *device, report *ledger.Report) (*account, error) {
	list, err := s.office.decisions(ctx, d.name)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for k := range list {
		ids[k] = list[k].Decision
	}
	told := d.decisions()
	x, err := d.status(ctx)
	if err != nil {
		return nil, err
	}
	return reckon(d.name, told, ids, &x, report)
}

// reckon adds up: the ids of the decisions that the device told and of those that
// the hub has, the device's log, and what the hub's ledger says of it.
func reckon(device string, told, had []string, log *status, report *ledger.Report) (*account, error) {
	a := &account{device: device, had: len(had), written: log.written(), waiting: log.waiting()}
	here, there := map[string]bool{}, map[string]bool{}
	for _, id := range had {
		if there[id] {
			a.twice++
		}
		there[id] = true
	}
	for _, id := range told {
		if here[id] {
			continue // told again after the stream was lost
		}
		here[id] = true
		a.told++
		if !there[id] {
			a.missing++
		}
		n, err := strconv.ParseUint(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the number of decision %q: %w", id, err)
		}
		a.counted = max(a.counted, n)
	}
	for id := range there {
		if !here[id] {
			a.foreign++
		}
	}
	for _, e := range report.Epochs {
		if e.Device == device {
			a.records += e.Records
			a.last = max(a.last, e.Last)
		}
	}
	for _, f := range report.Findings {
		if f.Device == device {
			a.findings = append(a.findings, f)
		}
	}
	return a, nil
}

func (s *story) tellBalance(accounts []*account) error {
	t := s.t
	var told, had, missing, twice int
	good := true
	t.say("")
	t.say("    %s", t.paint(dim, pad("", 14)+"  decisions            records in the log"))
	t.say("    %s", t.paint(dim, pad("", 14)+"   device      hub      device      hub    waiting"))
	for _, a := range accounts {
		t.say("    %s %8d %8d    %8d %8d   %8d", pad(a.device, 14), a.told, a.had, a.written, a.records, a.waiting)
		told, had = told+a.told, had+a.had
		missing, twice = missing+a.missing, twice+a.twice+a.foreign
		good = good && a.holds()
		for _, f := range a.findings {
			t.say("    %s", t.paint(red, f.Text))
		}
	}
	t.say("")
	text := fmt.Sprintf("balance: %d decisions on devices, %d at the hub, %d lost, %d twice", told, had, missing, twice)
	if !good {
		t.say("%s", t.paint(red, text+": it does not hold"))
		return fmt.Errorf("%w: see the table above", ErrBalance)
	}
	t.say("%s", t.paint(bold+";"+green, text+": it holds"))
	return nil
}
