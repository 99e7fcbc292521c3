package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/sync/wire"
)

// publish puts a bundle in charge of a scope.
func (s *step) publish(in Publish) error {
	scope, who, named := strings.Cut(in.Scope, "/")
	if in.Scope != "" && (!named || scope != "g" && scope != "d" || !wire.ValidID(who)) {
		return refuse("scope %q is not empty (the tenant), g/GROUP or d/DEVICE: %w", in.Scope, ErrInvalid)
	}
	b, err := catalog.Decode(in.File)
	if err != nil {
		return refuse("read bundle: %w", err)
	}
	sum := sha256.Sum256(in.File)
	sha := hex.EncodeToString(sum[:])
	wants, err := s.view.Wants()
	if err != nil {
		return err
	}
	var others []*catalog.Bundle // in charge beside it, for other devices
	for _, w := range wants {
		if w.Scope != in.Scope {
			o, err := s.bundle(w.SHA256)
			if err != nil {
				return err
			}
			if o != nil {
				others = append(others, o)
			}
			continue
		}
		if w.SHA256 == sha {
			return nil // in charge already
		}
		old, _, err := s.view.Bundle(w.SHA256)
		if err != nil {
			return err
		}
		if old.Name == b.Name && old.Version >= b.Version {
			return refuse("bundle %s@%d: %s@%d is in charge: raise `version` in the policy: %w", b.Name, b.Version, old.Name, old.Version, ErrOlder)
		}
	}
	s.bundles[sha] = b
	s.write(PutBundle{Bundle{SHA256: sha, Name: b.Name, Version: b.Version, File: in.File, Signature: in.Signature, At: s.now}})
	s.write(PutWant{Want{Scope: in.Scope, SHA256: sha, At: s.now}})
	names := catalog.Symbols(b)
	s.write(PutSymbols{SymbolPart{Bundle: wire.BundleID(sum[:8]), Of: uint32(len(names)), Names: names}})
	// What is held already is kept as the bundles say now: the longest that one of them allows.
	keep := func(what, name string) {
		most := keepIn(b, what, name)
		for _, o := range others {
			most = max(most, keepIn(o, what, name))
		}
		s.write(SetRetention{What: what, Name: name, Keep: most})
	}
	for k := range b.Facts {
		keep("fact", b.Facts[k].Name)
	}
	for k := range b.Derived {
		if b.Derived[k].Leaves {
			keep("fact", b.Derived[k].Name)
		}
	}
	for k := range b.Kinds {
		keep("interaction", b.Kinds[k].Name)
	}
	s.out.touched.wants = true
	return nil
}

// wantOf returns which bundle a device shall run: its own want, else the
// tenant's. A group's want is a document of the group's own, which the device reads there.
func (s *step) wantOf(device string) (w Want, ok bool, err error) {
	wants, err := s.view.Wants()
	if err != nil {
		return w, false, err
	}
	for _, x := range wants {
		if x.Scope == "" || x.Scope == "d/"+device {
			w, ok = x, true // the tenant's comes first
		}
	}
	return w, ok, nil
}

// pushWants publishes the wants that changed, to each device that is known and to each group.
func (s *step) pushWants() error {
	for after := ""; ; {
		devices, err := s.view.Devices(after, 256)
		if err != nil {
			return err
		}
		if len(devices) == 0 {
			break
		}
		for _, d := range devices {
			if err := s.pushWant(d, false); err != nil {
				return err
			}
			after = d.ID
		}
	}
	wants, err := s.view.Wants()
	if err != nil {
		return err
	}
	for _, w := range wants {
		if group, ok := strings.CutPrefix(w.Scope, "g/"); ok && w.At == s.now {
			revision, err := s.nextRevision(0)
			if err != nil {
				return err
			}
			doc, err := s.wantDocument(w, revision)
			if err != nil {
				return err
			}
			s.out.Messages = append(s.out.Messages, Message{Topic: wire.GroupWant(s.cfg.Tenant, group), Payload: doc, Retain: true})
		}
	}
	return nil
}

// pushWant publishes a device's want where it changed, or always.
func (s *step) pushWant(d Device, always bool) error {
	w, ok, err := s.wantOf(d.ID)
	if err != nil {
		return err
	}
	if !ok && d.Want == 0 && !always || !always && d.Want > 0 && d.Wanted == w.SHA256 {
		return nil
	}
	revision, err := s.nextRevision(d.Want)
	if err != nil {
		return err
	}
	d.Want, d.Wanted = revision, w.SHA256
	s.putDevice(d)
	doc, err := s.wantDocument(w, revision)
	if err != nil {
		return err
	}
	s.send(d.ID, wire.ClassWant, "", doc, true)
	return nil
}

// nextRevision returns a revision above every one given before, and above floor.
func (s *step) nextRevision(floor uint64) (uint64, error) {
	if s.revision == 0 {
		r, err := s.view.Revision()
		if err != nil {
			return 0, err
		}
		s.revision = r
	}
	s.revision = max(s.revision, floor) + 1
	s.write(PutRevision{Revision: s.revision})
	return s.revision, nil
}

// wantDocument is what a device or group shall be. A want without a bundle tells the hub's key alone.
func (s *step) wantDocument(w Want, revision uint64) ([]byte, error) {
	doc := wire.Want{Revision: revision, HubKey: s.cfg.Open.PublicKey().Bytes(), Time: int64(s.now)}
	if w.SHA256 != "" {
		b, ok, err := s.view.Bundle(w.SHA256)
		if err != nil {
			return nil, err
		}
		if ok {
			doc.Bundle = &wire.WantBundle{Name: b.Name, Version: strconv.FormatInt(b.Version, 10), Size: int64(len(b.File)),
				SHA256: b.SHA256, Signature: string(b.Signature)}
		}
	}
	return wire.EncodeJSON(&doc)
}
