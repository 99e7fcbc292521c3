// Package certs keeps what a TLS connection needs and files hold: who is trusted,
// and the own certificate with its key. The files may change while they are in use.
//
// It guarantees TLS 1.3, and that a file which is half written, unreadable, or does
// not belong to the others changes nothing: what was there before stays in use, and
// each such state is told once. Callers owe a Refresh before each connection of
// theirs, and from time to time; a server's configuration does so by itself.
package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Files name what is kept, each a path of PEM.
type Files struct {
	CA   string // whose certificates are trusted; empty: those that the system trusts
	Cert string // the own one, followed by those between it and its authority; empty: none
	Key  string // of Cert
}

// Kept are certificates in use. It is safe for concurrent use.
type Kept struct {
	files Files

	mu   sync.Mutex
	now  use
	seen [sha256.Size]byte // what the files held at the last look
}

// use is what files hold that belong together.
type use struct {
	trusted *x509.CertPool // nil: those of the system
	own     []tls.Certificate
	ends    time.Time // the first day on which one of own is no longer valid; zero without one
}

// maxFile is the size of a file in bytes at the most.
const maxFile = 1 << 20

// Load reads the files for the first time.
func Load(f Files) (*Kept, error) {
	if (f.Cert == "") != (f.Key == "") {
		return nil, errors.New("load certificates: a certificate and its key go together, and only one is named")
	}
	k := &Kept{files: f}
	if _, err := k.Refresh(); err != nil {
		return nil, err
	}
	return k, nil
}

// Refresh reads the files again where they have changed. changed says that what
// they hold is in use from now on. An error says that it cannot be, and is told
// once for each state of the files: what was there before is still used.
func (k *Kept) Refresh() (changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := sha256.New()
	var raw [3][]byte
	for n, path := range []string{k.files.CA, k.files.Cert, k.files.Key} {
		if path == "" {
			continue
		}
		part, readErr := read(path)
		if readErr != nil {
			err = errors.Join(err, readErr)
			part = []byte(readErr.Error())
		}
		raw[n] = part
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	sum := [sha256.Size]byte(h.Sum(nil))
	if sum == k.seen {
		return false, nil
	}
	k.seen = sum
	if err != nil {
		return false, fmt.Errorf("load certificates: %w", err)
	}
	u, err := k.parse(raw)
	if err != nil {
		return false, fmt.Errorf("load certificates: %w", err)
	}
	k.now = u
	return true, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return raw, nil
}

func (k *Kept) parse(raw [3][]byte) (u use, err error) {
	if k.files.CA != "" {
		all, err := certificates(k.files.CA, raw[0])
		if err != nil {
			return u, err
		}
		u.trusted = x509.NewCertPool()
		for _, c := range all {
			u.trusted.AddCert(c)
		}
	}
	if k.files.Cert == "" {
		return u, nil
	}
	all, err := certificates(k.files.Cert, raw[1])
	if err != nil {
		return u, err
	}
	for _, c := range all {
		if u.ends.IsZero() || c.NotAfter.Before(u.ends) {
			u.ends = c.NotAfter
		}
	}
	pair, err := tls.X509KeyPair(raw[1], raw[2])
	if err != nil {
		return u, fmt.Errorf("%s and %s: %w", k.files.Cert, k.files.Key, err)
	}
	u.own = []tls.Certificate{pair}
	return u, nil
}

// certificates reads all of a file: one that was cut off in the middle is refused.
func certificates(path string, raw []byte) (all []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s holds a %s where certificates are wanted", path, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, c)
	}
	if bytes.Contains(raw, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("%s ends in the middle of a certificate", path)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return all, nil
}

func (k *Kept) using() use {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// Ends is when the own certificate, or one beside it in its file, is no longer valid.
// ok is false where there is none.
func (k *Kept) Ends() (at time.Time, ok bool) {
	u := k.using()
	return u.ends, !u.ends.IsZero()
}

// Client is the configuration of a client whose server's certificate must be of that
// name, with what is in use now.
func (k *Kept) Client(server string) *tls.Config {
	u := k.using()
	return &tls.Config{MinVersion: tls.VersionTLS13, ServerName: server, RootCAs: u.trusted, Certificates: u.own}
}

// Server is the configuration of a server that lets in who has a certificate of the
// trusted authority. The files are read again with each connection; tell hears what
// is wrong with them.
func (k *Kept) Server(tell func(error)) (*tls.Config, error) {
	if k.files.CA == "" || k.files.Cert == "" {
		return nil, errors.New("serve TLS: it wants a certificate, its key, and the authority of the clients' certificates")
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if _, err := k.Refresh(); err != nil {
			tell(err)
		}
		u := k.using()
		return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: u.own, ClientCAs: u.trusted, ClientAuth: tls.RequireAndVerifyClientCert}, nil
	}}, nil
}
