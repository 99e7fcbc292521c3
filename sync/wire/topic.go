package wire

import (
	"fmt"
	"strings"
)

// Plane says which way a topic goes.
type Plane string

const (
	State Plane = "st" // from the device: what it is
	Up    Plane = "up" // from the device: what happened there
	Down  Plane = "dn" // to the device
)

// Classes of the planes.
const (
	ClassConn   = "conn"   // st: Conn, retained, last will
	ClassBirth  = "birth"  // st: Birth, retained
	ClassReport = "rep"    // st: Reported, retained
	ClassHealth = "health" // st: Health, not retained

	ClassLog   = "log"   // up: Batch
	ClassReq   = "req"   // up: Request
	ClassLearn = "learn" // up
	ClassJob   = "job"   // up, dn
	ClassDiag  = "diag"  // up

	ClassWant  = "want"  // dn: Want, retained
	ClassSlice = "slice" // dn/slice/<handle>: Slice, Unchanged, Forget; never retained
	ClassSig   = "sig"   // dn: SiteSignal
	ClassAck   = "ack"   // dn: Ack
	ClassBlob  = "blob"  // dn/blob/<sha256>: Blob
	ClassCmd   = "cmd"   // dn/cmd/<name>: Command
)

const (
	root        = "tact/v1/"
	hubDevice   = "_hub"
	groupPrefix = "_g-"
)

// Topic is a parsed topic. Exactly one of Device, Group and Hub says whose it is.
type Topic struct {
	Tenant string
	Device string // device id
	Group  string // group id, for a group's want
	Hub    bool   // the hub's own presence
	Plane  Plane
	Class  string
	Name   string // handle of a slice, hash of a blob, name of a command; else empty
}

// naming says whether a class of a plane takes a name.
type naming uint8

const (
	unknownClass naming = iota
	unnamed
	named
	perhapsNamed
)

func namingOf(p Plane, class string) naming {
	switch string(p) + "/" + class {
	case "st/conn", "st/birth", "st/rep", "st/health", "up/log", "up/req", "dn/want", "dn/sig", "dn/ack":
		return unnamed
	case "up/job", "up/diag", "dn/slice", "dn/job", "dn/blob", "dn/cmd":
		return named
	case "up/learn":
		return perhapsNamed
	}
	return unknownClass
}

// ValidID says whether s may be a tenant, device, group or the last part of a topic:
// [A-Za-z0-9][A-Za-z0-9_-]{0,63}.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for k := 0; k < len(s); k++ {
		c := s[k]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (k == 0 || c != '_' && c != '-') {
			return false
		}
	}
	return true
}

// String builds the topic. It does not check; ParseTopic(t.String()) does.
func (t Topic) String() string {
	whose := t.Device
	switch {
	case t.Hub:
		whose = hubDevice
	case t.Group != "":
		whose = groupPrefix + t.Group
	}
	s := root + t.Tenant + "/" + whose + "/" + string(t.Plane) + "/" + t.Class
	if t.Name != "" {
		s += "/" + t.Name
	}
	return s
}

// ParseTopic reads a topic and refuses everything that String of a right Topic
// does not give.
func ParseTopic(s string) (Topic, error) {
	bad := func(why string) (Topic, error) {
		if len(s) > 200 {
			s = s[:200] + "..."
		}
		return Topic{}, fmt.Errorf("parse topic %q: %s: %w", s, why, ErrMalformed)
	}
	rest, ok := strings.CutPrefix(s, root)
	if !ok {
		return bad("does not start with " + root)
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 4 && len(parts) != 5 {
		return bad("wants tenant/device/plane/class and at most a name")
	}
	t := Topic{Tenant: parts[0], Plane: Plane(parts[2]), Class: parts[3]}
	if !ValidID(t.Tenant) {
		return bad("tenant is not an id")
	}
	group, isGroup := strings.CutPrefix(parts[1], groupPrefix)
	switch {
	case parts[1] == hubDevice:
		t.Hub = true
	case isGroup && ValidID(group):
		t.Group = group
	case ValidID(parts[1]):
		t.Device = parts[1]
	default:
		return bad("device is not an id")
	}
	naming := namingOf(t.Plane, t.Class)
	if naming == unknownClass {
		return bad("no such plane and class")
	}
	if len(parts) == 5 {
		t.Name = parts[4]
		if naming == unnamed || !ValidID(t.Name) {
			return bad("no such name here")
		}
	} else if naming == named {
		return bad("wants a name after the class")
	}
	if t.Hub && (t.Plane != State || t.Class != ClassConn) {
		return bad("the hub has its presence only")
	}
	if t.Group != "" && (t.Plane != Down || t.Class != ClassWant) {
		return bad("a group has its want only")
	}
	return t, nil
}

// Path makes the topics of one device.
type Path struct{ Tenant, Device string }

// Of returns the topic of a plane and class without a name.
func (p Path) Of(plane Plane, class string) string {
	return Topic{Tenant: p.Tenant, Device: p.Device, Plane: plane, Class: class}.String()
}

// Named returns the topic of a plane, class and name.
func (p Path) Named(plane Plane, class, name string) string {
	return Topic{Tenant: p.Tenant, Device: p.Device, Plane: plane, Class: class, Name: name}.String()
}

// Below is the filter of everything that is sent to the device.
func (p Path) Below() string { return root + p.Tenant + "/" + p.Device + "/dn/#" }

// HubConn is the topic of the hub's presence.
func HubConn(tenant string) string {
	return Topic{Tenant: tenant, Hub: true, Plane: State, Class: ClassConn}.String()
}

// GroupWant is the topic of a group's want.
func GroupWant(tenant, group string) string {
	return Topic{Tenant: tenant, Group: group, Plane: Down, Class: ClassWant}.String()
}

// AllUp and AllState are the filters that a hub reads of all devices of a tenant.
func AllUp(tenant string) string    { return root + tenant + "/+/up/#" }
func AllState(tenant string) string { return root + tenant + "/+/st/#" }
