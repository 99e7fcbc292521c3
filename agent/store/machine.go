package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// keyMachine holds what Options.Machine was when outbox.db was made.
var keyMachine = []byte("machine")

// What tells machines apart: an id that is drawn when the system is installed,
// machine-id(5), and the serial number of the board where firmware says one. A
// card that is copied and put into another board brings the first along, but not
// the second.
var (
	machineFile = "/etc/machine-id"
	serialFile  = "/sys/firmware/devicetree/base/serial-number"
)

// Machine names the machine that the process runs on, for Options.Machine: a
// keyed hash, as machine-id(5) wants it, in hex. Empty where it has no machine-id.
func Machine() string { return machineOf(machineFile, serialFile) }

func machineOf(idFile, serialFile string) string {
	raw, err := os.ReadFile(idFile)
	id := strings.TrimSpace(string(raw))
	if err != nil || id == "" {
		return ""
	}
	m := hmac.New(sha256.New, []byte(id))
	m.Write([]byte("tact store machine 1"))
	if serial, err := os.ReadFile(serialFile); err == nil {
		m.Write(serial)
	}
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// checkMachine says whether the file was made on another machine than this one.
// A file that does not say takes this one.
func (o *Outbox) checkMachine(machine string) (cloned bool, err error) {
	if machine == "" {
		return false, nil
	}
	made := ""
	err = o.db.view(func(tx *bolt.Tx) error {
		made = string(tx.Bucket(bucketMeta).Get(keyMachine))
		return nil
	})
	if err != nil || made != "" {
		return made != machine, err
	}
	return false, o.setMachine(machine)
}

func (o *Outbox) setMachine(machine string) error {
	if machine == "" {
		return nil
	}
	return o.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyMachine, []byte(machine)) })
}
