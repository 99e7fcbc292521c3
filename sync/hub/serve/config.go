package serve

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/wire"
)

// Config is what a hub is started with.
type Config struct {
	Dir    string // keys and ledger; made where it is not there
	Tenant string
	HTTP   string      // address to listen on, as in 127.0.0.1:7480; port 0 takes a free one
	Broker mqtt.Broker // ClientID is "tact-hub-TENANT" where empty; no Address: no devices

	Sources map[string]string                     // name of a source -> its token
	Trusted []update.PublicKey                    // who may sign bundles
	Lease   sense.Duration                        // of slices; 7d where 0
	Zone    func(name string) (sense.Zone, error) // rules of a named time zone, those that the devices have; nil: as if none were known
	Ledger  ledger.Ledger                         // closed by Close; nil: SQLite in Dir
	Now     func() sense.Instant                  // the wall clock; time.Now where nil
	Tell    *slog.Logger                          // nil: silent
	Crash   func(point string)                    // nil but in tests: called at labelled points
}

// Labelled points at which a test may end the process.
const (
	CrashBeforeCommit = "before commit"
	CrashAfterCommit  = "after commit"  // nobody has heard of it
	CrashAfterPublish = "after publish" // its messages are queued, and it is answered
	CrashAfterScrub   = "after scrub"   // the files were written anew after an erasure
)

// BrokerName is the hub's name at a broker: its client id, its user name, and the name
// in its certificate. No device may have a name that begins like it.
func BrokerName(tenant string) string { return brokerPrefix + tenant }

const brokerPrefix = "tact-hub-"

// MinToken is the shortest token in characters.
const MinToken = 8

// Operator is the name under which the operator's token speaks.
const Operator = "operator"

func (c *Config) check() error {
	switch {
	case c.Dir == "":
		return errors.New("start hub: no folder: name one with --dir")
	case !wire.ValidID(c.Tenant):
		return fmt.Errorf("start hub: tenant %q: 1 to 64 letters, digits, - and _ are allowed", c.Tenant)
	}
	seen := map[string]string{}
	for name, token := range c.Sources {
		if !wire.ValidID(name) || name == Operator {
			return fmt.Errorf("start hub: source %q: 1 to 64 letters, digits, - and _ are allowed, and not %q", name, Operator)
		}
		if len(token) < MinToken || strings.ContainsAny(token, " \t\r\n") {
			return fmt.Errorf("start hub: token of source %s: at least %d characters without spaces are needed", name, MinToken)
		}
		if seen[token] != "" {
			return fmt.Errorf("start hub: sources %s and %s have the same token", min(name, seen[token]), max(name, seen[token]))
		}
		seen[token] = name
	}
	if c.Now == nil {
		c.Now = func() sense.Instant { return sense.InstantOf(time.Now()) }
	}
	if c.Tell == nil {
		c.Tell = slog.New(slog.DiscardHandler)
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	if c.Broker.ClientID == "" {
		c.Broker.ClientID = BrokerName(c.Tenant)
	}
	return nil
}

// Files in a hub's folder.
const (
	LedgerFile   = "hub.db"
	OperatorFile = "operator.token"
	AddressFile  = "address"     // where HTTP listens, while it does
	SignPubFile  = "hub.signpub" // what devices trust: Ed25519, base64
	signKeyFile  = "hub.signkey"
	openKeyFile  = "hub.openkey"
	secretFile   = "hub.secret"
	lockFile     = "hub.lock"
)

// keys are what a hub is known by.
type keys struct {
	sign     ed25519.PrivateKey
	open     *ecdh.PrivateKey
	secret   [32]byte
	operator string
}

// group is the group of shared subscriptions of the hubs with these keys. Its name is a
// secret: a broker that grants every subscription and holds back what is not allowed
// (Mosquitto) would lose every other message to a device that joined.
func (k keys) group() string {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte("group of shared subscriptions"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// ErrRunning says that another hub has the folder.
var ErrRunning = errors.New("another hub runs in this folder")

// lockDir makes the folder and locks it for one hub. Closing the file, or the
// end of the process in whatever way, gives it back.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make hub folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock hub folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrRunning
		}
		return nil, fmt.Errorf("lock hub folder %s: %w", dir, err)
	}
	return f, nil
}

// loadKeys reads the keys of a folder, and makes those that are not there.
func loadKeys(dir string) (k keys, err error) {
	seed, err := secretOf(dir, signKeyFile)
	if err != nil {
		return k, err
	}
	k.sign = ed25519.NewKeyFromSeed(seed)
	open, err := secretOf(dir, openKeyFile)
	if err != nil {
		return k, err
	}
	if k.open, err = ecdh.X25519().NewPrivateKey(open); err != nil {
		return k, fmt.Errorf("read %s: %w", filepath.Join(dir, openKeyFile), err)
	}
	secret, err := secretOf(dir, secretFile)
	if err != nil {
		return k, err
	}
	k.secret = [32]byte(secret)
	token, err := secretOf(dir, OperatorFile)
	if err != nil {
		return k, err
	}
	k.operator = hex.EncodeToString(token)
	pub := base64.StdEncoding.EncodeToString(k.sign.Public().(ed25519.PublicKey)) + "\n"
	return k, writeFile(filepath.Join(dir, SignPubFile), []byte(pub), 0o644)
}

// secretOf reads 32 bytes in hex from a file, which it makes where it is not there.
func secretOf(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		rand.Read(secret) // never fails
		return secret, writeFile(path, []byte(hex.EncodeToString(secret)+"\n"), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("read key %s: not 64 hex digits: restore it from a backup", path)
	}
	return secret, nil
}

// writeFile writes a file whole or not at all, and durably.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
