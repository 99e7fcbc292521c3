// Package certstest makes certificate authorities and certificates for tests, anew
// each time. Keys are ECDSA P-256, which every TLS library takes.
package certstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/mqtt/certs"
)

// Authority signs certificates.
type Authority struct {
	t    testing.TB
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	CA   string // path of its certificate
}

// New makes an authority that puts its files into a folder of the test's own.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	self := a.template("tact test authority", time.Now().Add(time.Hour))
	self.IsCA, self.BasicConstraintsValid, self.KeyUsage = true, true, x509.KeyUsageCertSign
	raw := a.sign(self, self, a.key)
	a.cert = self
	if parsed, err := x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	} else {
		a.cert = parsed
	}
	a.CA = filepath.Join(a.dir, "ca.crt")
	a.write(a.CA, "CERTIFICATE", raw)
	return a
}

// Client makes a certificate of a client and returns its files, with the authority's.
func (a *Authority) Client(name string) certs.Files {
	return a.issue(name, time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth)
}

// Expired makes a certificate of a client that ended a minute ago.
func (a *Authority) Expired(name string) certs.Files {
	return a.issue(name, time.Now().Add(-time.Minute), x509.ExtKeyUsageClientAuth)
}

// Server makes the certificate of a server with these names and addresses.
func (a *Authority) Server(names ...string) certs.Files {
	return a.issue(names[0], time.Now().Add(time.Hour), x509.ExtKeyUsageServerAuth, names...)
}

func (a *Authority) issue(name string, until time.Time, usage x509.ExtKeyUsage, hosts ...string) certs.Files {
	a.t.Helper()
	c := a.template(name, until)
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{usage}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	key := a.newKey()
	raw := a.sign(c, a.cert, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	at := filepath.Join(a.dir, c.SerialNumber.String())
	a.write(at+".crt", "CERTIFICATE", raw)
	a.write(at+".key", "PRIVATE KEY", der)
	return certs.Files{CA: a.CA, Cert: at + ".crt", Key: at + ".key"}
}

func (a *Authority) newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func (a *Authority) template(name string, until time.Time) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-2 * time.Hour), NotAfter: until}
}

func (a *Authority) sign(c, by *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	raw, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

func (a *Authority) write(path, kind string, raw []byte) {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}
