package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
)

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["ORDERS_URL"] = "http://127.0.0.1:1"
	where := startReady(t, n)
	token := n.issuer.Token(t, 7, 70)
	const get = "GET /accounts/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"an answer of a service": {get + "Authorization: Token " + token + "\r\n\r\n", 200},
		"no token":               {get + "\r\n", 401},
		"options":                {"OPTIONS /orders/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 204},
		"no such path":           {"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404},
		"no such method":         {"BREW /auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405},
		"a body too large":       {login + "Content-Length: 99999999\r\n\r\n", 413},
		"a compressed body":      {login + "Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415},
		"headers too large":      {login + "X: " + strings.Repeat("x", 20_000) + "\r\n\r\n", 400},
		"what is no HTTP":        {"GET\r\n\r\n", 400},
		"two readings":           {ambiguous["length and encoding"], 400},
		"a service that is down": {"GET /orders/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Token " + token + "\r\n\r\n", 503},
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", where.public.String())
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(conn, test.request)
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		require.NoError(t, conn.Close())
		require.Equal(t, test.status, response.StatusCode, name)
		require.Equal(t, "no-store", response.Header.Get("Cache-Control"), name)
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", response.Header.Get("Content-Security-Policy"), name)
		require.NotEmpty(t, response.Header.Get("X-Request-Id"), name)
		require.NotEmpty(t, response.Header.Get("RateLimit-Policy"), name)
		require.NotContains(t, response.Header, "Strict-Transport-Security", name)
		require.NotContains(t, response.Header, "Server", name)
	}
}

// certify writes a certificate for 127.0.0.1 and its key, and returns who trusts it.
func certify(t *testing.T, n *neighbours) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	n.env["TLS_CERT_FILE"], n.env["TLS_KEY_FILE"] = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	parsed, err := x509.ParseCertificate(certificate)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

func TestPublicPortSpeaksTLSWhereItIsConfigured(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	pool := certify(t, n)
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Proto", request.Header.Get("X-Forwarded-Proto"))
	}
	where := startReady(t, n) // which asks the admin port, without TLS
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+where.public.String()+"/orders/", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Token "+n.issuer.Token(t, 7, 70))
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "https", response.Header.Get("Proto"))
	require.Equal(t, "max-age=31536000", response.Header.Get("Strict-Transport-Security"))

	_, err = tls.Dial("tcp", where.public.String(), &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11})
	require.Error(t, err, "no older version")
	conn, err := tls.Dial("tcp", where.public.String(), &tls.Config{RootCAs: pool})
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, ambiguous["bare LF after the first line"]+hidden)
	require.NoError(t, err)
	refused, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, refused.StatusCode, "what is refused in the clear is refused here")
}

func TestCertificateThatCannotBeReadEndsTheStart(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	certify(t, n)
	n.env["TLS_KEY_FILE"] = n.env["TLS_CERT_FILE"]
	cfg, err := config.Load[Config](environ(n.env))
	require.NoError(t, err)
	err = run(t.Context(), cfg, lifecycle.NewLogger(io.Discard, "gateway", slog.LevelInfo), func(addresses) {})
	require.ErrorContains(t, err, "TLS_CERT_FILE")
}
