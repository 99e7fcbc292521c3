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

// machineFile is an id that the system draws when it is installed, machine-id(5).
var machineFile = "/etc/machine-id"

// Machine names the machine that the process runs on, for Options.Machine: a
// keyed hash of its machine-id, as that page of the manual wants it, in hex.
// Empty where the machine has none.
func Machine() string {
	raw, err := os.ReadFile(machineFile)
	id := strings.TrimSpace(string(raw))
	if err != nil || id == "" {
		return ""
	}
	m := hmac.New(sha256.New, []byte(id))
	m.Write([]byte("tact store machine 1"))
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
