package testservers

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

	"github.com/stretchr/testify/require"
)

// Authority signs the certificates of a test's servers. It lives as long as the test.
type Authority struct {
	// File holds its own certificate, in the form of the settings MYSQL_TLS_CA_FILE and NATS_TLS_CA_FILE.
	File string

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	authority := &Authority{File: filepath.Join(t.TempDir(), "ca.pem"), certificate: newTemplate("OMS test authority"), key: newKey(t)}
	authority.certificate.IsCA, authority.certificate.BasicConstraintsValid = true, true
	authority.certificate.KeyUsage = x509.KeyUsageCertSign
	authority.sign(t, authority.certificate, authority.key, authority.File)
	return authority
}

// Issue makes a certificate for a server with these names or addresses. It is valid for an hour.
func (a *Authority) Issue(t testing.TB, hosts ...string) (certFile, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	template := newTemplate(hosts[0])
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key := newKey(t)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	writePEM(t, keyFile, "PRIVATE KEY", encoded)
	a.sign(t, template, key, certFile)
	return certFile, keyFile
}

func (a *Authority) sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey, file string) {
	t.Helper()
	encoded, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	require.NoError(t, err)
	writePEM(t, file, "CERTIFICATE", encoded)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func newTemplate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
	}
}

// writePEM writes a file that users in containers can read. It lies in the test's folder, and is removed with it.
func writePEM(t testing.TB, file, kind string, content []byte) {
	t.Helper()
	// #nosec G306 -- see above
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o644))
}
