package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"sync"

	"github.com/tact-edge/tact/agent/engine"
)

// ErrNoKey says that the key of a handle is not here: it was destroyed, or never made.
var ErrNoKey = errors.New("key is gone")

const (
	keySize   = 32
	sealMore  = 12 + 16 // nonce and tag
	keyMagic  = "tact keys 2\n"
	keyMagic1 = "tact keys 1\n" // one list without a length
	keyHeader = len(keyMagic) + sealMore + keySize
	leaseSize = 16 + keySize
	// mostLists is how many lists may be appended before the file is written whole.
	mostLists = 1024
	// MaxKeys is how many customers a device may hold keys of at a time.
	MaxKeys = 1 << 16
)

// Keys are the keys of the leases: what is sealed with one can be read as long
// as the key is here. They are one small file: the epoch key wrapped by the
// device key, and lists of lease keys wrapped by the epoch key. New ones are
// appended. Destroying a key draws a new epoch key, and is done when the file is
// written anew under it. Safe for concurrent use.
//
// The file is a magic, the sealed epoch key, and lists: the length of what
// follows in 4 bytes, and the handles and keys, sealed and bound to the list's
// place. The last list may be cut by a crash: then nobody was told of its keys.
type Keys struct {
	mu     sync.Mutex
	path   string
	wrote  func(int64)
	device [keySize]byte
	epoch  [keySize]byte
	lease  map[engine.Handle][keySize]byte
	size   int64  // of the file; 0 where it must be written whole
	lists  uint64 // in it
}

// openKeys reads the key file; one that is not there is no error and holds no
// key. The error is ErrDamaged where the file cannot be opened with the device key.
func openKeys(path string, device [keySize]byte, wrote func(int64)) (*Keys, error) {
	k := &Keys{path: path, device: device, wrote: wrote, lease: map[engine.Handle][keySize]byte{}}
	rand.Read(k.epoch[:]) // never fails, by its contract
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", unreadable(err))
	}
	if err := k.decode(raw); err != nil {
		return nil, fmt.Errorf("read keys %s: %w: %w", path, ErrDamaged, err)
	}
	return k, nil
}

func (k *Keys) decode(raw []byte) error {
	if len(raw) < keyHeader || string(raw[:len(keyMagic)]) != keyMagic && string(raw[:len(keyMagic)]) != keyMagic1 {
		return errors.New("not a key file of this version")
	}
	magic := raw[:len(keyMagic)]
	epoch, err := open(k.device, magic, raw[len(keyMagic):keyHeader])
	if err != nil {
		return fmt.Errorf("epoch key: %w", err)
	}
	copy(k.epoch[:], epoch)
	if string(magic) == keyMagic1 {
		list, err := open(k.epoch, magic, raw[keyHeader:])
		if err != nil {
			return fmt.Errorf("lease keys: %w", err)
		}
		return k.take(list)
	}
	k.size = int64(keyHeader)
	for rest := raw[keyHeader:]; len(rest) > 0; k.lists++ {
		n, whole := 0, len(rest) >= 4
		if whole {
			n = int(min(uint64(binary.BigEndian.Uint32(rest)), 1<<30))
			whole = len(rest) >= 4+n && (n > 0 || len(bytes.Trim(rest, "\x00")) > 0) // zeros: the file had grown already
		}
		var list []byte
		if whole {
			if list, err = open(k.epoch, listName(k.lists), rest[4:4+n]); err != nil && k.lists > 0 && len(rest) == 4+n {
				whole = false
			}
		}
		switch {
		case !whole && k.lists > 0: // it was being appended when the power went
			k.size = 0
			return nil
		case !whole:
			return errors.New("lease keys: cut short")
		case err != nil:
			return fmt.Errorf("lease keys: %w", err)
		}
		if err := k.take(list); err != nil {
			return err
		}
		k.size += int64(4 + n)
		rest = rest[4+n:]
	}
	return nil
}

func listName(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte(keyMagic), n) }

// take takes in a list of handles and keys.
func (k *Keys) take(list []byte) error {
	if len(list)%leaseSize != 0 || len(list)/leaseSize+len(k.lease) > MaxKeys {
		return errors.New("lease keys: wrong length")
	}
	for ; len(list) > 0; list = list[leaseSize:] {
		k.lease[engine.Handle(list[:16])] = [keySize]byte(list[16:leaseSize])
	}
	return nil
}

// list returns the keys of handles as they are stored. The handles are in order,
// so that nothing of the order of arrival shows.
func (k *Keys) list(handles []engine.Handle, place uint64) []byte {
	sortHandles(handles)
	plain := make([]byte, 0, len(handles)*leaseSize)
	for _, h := range handles {
		key := k.lease[h]
		plain = append(append(plain, h[:]...), key[:]...)
	}
	sealed := seal(k.epoch, listName(place), plain)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...)
}

// rewrite writes the whole file.
func (k *Keys) rewrite() error {
	handles := make([]engine.Handle, 0, len(k.lease))
	for h := range k.lease {
		handles = append(handles, h)
	}
	b := append([]byte(keyMagic), seal(k.device, []byte(keyMagic), k.epoch[:])...)
	b = append(b, k.list(handles, 0)...)
	k.size = 0
	k.wrote(int64(len(b)))
	if err := replaceSecret(k.path, b, keyHeader); err != nil {
		return err
	}
	k.size, k.lists = int64(len(b)), 1
	return nil
}

// extend appends a list of the handles, durably. After an error the end of the
// file is not known, and it is written whole the next time.
func (k *Keys) extend(handles []engine.Handle) error {
	b := k.list(handles, k.lists)
	at := k.size
	k.size = 0
	f, err := os.OpenFile(k.path, os.O_WRONLY, 0)
	if err != nil {
		return full(err)
	}
	k.wrote(int64(len(b)))
	_, err = f.WriteAt(b, at)
	if err == nil {
		err = f.Sync()
	}
	if err := full(errors.Join(err, f.Close())); err != nil {
		return err
	}
	k.size = at + int64(len(b))
	k.lists++
	return nil
}

func sortHandles(l []engine.Handle) {
	sort.Slice(l, func(a, b int) bool { return bytes.Compare(l[a][:], l[b][:]) < 0 })
}

// Has says whether the key of h is here.
func (k *Keys) Has(h engine.Handle) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.lease[h]
	return ok
}

// Handles returns the handles that have a key, in order.
func (k *Keys) Handles() []engine.Handle {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]engine.Handle, 0, len(k.lease))
	for h := range k.lease {
		list = append(list, h)
	}
	sortHandles(list)
	return list
}

// Make draws a key for each handle that has none; they are durable on return.
func (k *Keys) Make(handles ...engine.Handle) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var drawn []engine.Handle
	for _, h := range handles {
		if _, ok := k.lease[h]; ok {
			continue
		}
		if len(k.lease) >= MaxKeys {
			k.drop(drawn)
			return fmt.Errorf("make key: %d customers are held already, the most there may be: %w", MaxKeys, ErrFull)
		}
		var key [keySize]byte
		rand.Read(key[:])
		k.lease[h] = key
		drawn = append(drawn, h)
	}
	if len(drawn) == 0 {
		return nil
	}
	store := k.rewrite
	if k.size > 0 && k.lists < mostLists {
		store = func() error { return k.extend(drawn) }
	}
	if err := store(); err != nil {
		k.drop(drawn)
		return fmt.Errorf("make key: %w", err)
	}
	return nil
}

func (k *Keys) drop(handles []engine.Handle) {
	for _, h := range handles {
		delete(k.lease, h)
	}
}

// Destroy takes keys away for good, durable on return. What was sealed with
// them cannot be read from then on, wherever its bytes still lie. A handle
// without a key is passed over. Key files that were set aside go as well: they may
// have them. On an error the keys are unusable in this process all the same, and
// the call must be repeated.
func (k *Keys) Destroy(handles ...engine.Handle) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(handles)
	rand.Read(k.epoch[:]) // after an error as well: whatever is written next is written whole, under this one
	err := k.rewrite()
	if err == nil {
		err = wipeAside(k.path, keyHeader)
	}
	if err != nil {
		return fmt.Errorf("destroy keys: %w", err)
	}
	return nil
}

// Seal encrypts plain with the key of h, bound to what it is (about).
func (k *Keys) Seal(h engine.Handle, about string, plain []byte) ([]byte, error) {
	key, err := k.of(h)
	if err != nil {
		return nil, err
	}
	return seal(key, bound(h, about), plain), nil
}

// Open decrypts what Seal made. Its error is ErrNoKey where the key was
// destroyed, ErrDamaged where the bytes are not what was sealed.
func (k *Keys) Open(h engine.Handle, about string, sealed []byte) ([]byte, error) {
	key, err := k.of(h)
	if err != nil {
		return nil, err
	}
	return open(key, bound(h, about), sealed)
}

func (k *Keys) of(h engine.Handle) ([keySize]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.lease[h]
	if !ok {
		return key, ErrNoKey
	}
	return key, nil
}

func bound(h engine.Handle, about string) []byte { return append(h[:], about...) }

// seal is AES-256-GCM with a random nonce in front.
func seal(key [keySize]byte, about, plain []byte) []byte {
	box := boxOf(key)
	b := make([]byte, box.NonceSize(), box.NonceSize()+len(plain)+box.Overhead())
	rand.Read(b)
	return box.Seal(b, b, plain, about)
}

func open(key [keySize]byte, about, sealed []byte) ([]byte, error) {
	box := boxOf(key)
	if len(sealed) < box.NonceSize() {
		return nil, fmt.Errorf("open sealed value: too short: %w", ErrDamaged)
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], about)
	if err != nil {
		return nil, fmt.Errorf("open sealed value: %w", ErrDamaged)
	}
	return plain, nil
}

// boxOf cannot fail: the key has one of the sizes that AES has.
func boxOf(key [keySize]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return box
}
