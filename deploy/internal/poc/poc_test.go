package poc

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func answering(t *testing.T, status int, body string) *client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return &client{base: server.URL, http: server.Client(), out: &strings.Builder{}}
}

func TestAnAnswerWithAnotherStatusIsAnError(t *testing.T) {
	c := answering(t, http.StatusOK, `{"count":0,"results":[]}`)
	_, err := call[page[order]](t.Context(), c, request{method: http.MethodGet, path: "/orders/", want: http.StatusUnauthorized})
	require.EqualError(t, err, "GET /orders/: the status is 200, not 401")
}

func TestTokensAndPasswordsAreNotPrintedWhole(t *testing.T) {
	token, refresh := strings.Repeat("secretpart", 10), strings.Repeat("otherpart", 10)
	c := answering(t, http.StatusOK, fmt.Sprintf(`{"user":{"name":"김선기"},"token":%q,"refresh_token":%q}`, token, refresh))
	_, err := call[session](t.Context(), c, request{
		method: http.MethodPost, path: "/auth/login", token: token, want: http.StatusOK, body: map[string]any{"password": password},
	})
	require.NoError(t, err)
	printed := c.out.(*strings.Builder).String()
	require.Contains(t, printed, "김선기")
	require.NotContains(t, printed, token)
	require.NotContains(t, printed, refresh)
	require.NotContains(t, printed, password)
}

func TestALongBodyIsCutBetweenCharacters(t *testing.T) {
	text := short([]byte(strings.Repeat("김", 1000)))
	require.True(t, strings.HasSuffix(text, "김…"))
	require.LessOrEqual(t, len(text), 403)
}

func TestTheWalkThroughEndsAtTheFirstWrongAnswer(t *testing.T) {
	c := answering(t, http.StatusServiceUnavailable, `{"detail":"down"}`)
	var port int
	_, err := fmt.Sscanf(c.base, "http://127.0.0.1:%d", &port)
	require.NoError(t, err)
	var out strings.Builder
	err = Run(t.Context(), stack.Stack{Ports: stack.Ports{Gateway: port}}, &out)
	require.EqualError(t, err, "POST /accounts/users: the status is 503, not 201")
	require.Contains(t, out.String(), `{"detail":"down"}`)
	require.NotContains(t, out.String(), "2. ")
}

func TestAGatewayIsKnownByItsCertificateWhateverItsName(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"count":0,"results":[]}`)
	}))
	t.Cleanup(server.Close)
	own, other := certificate(t, server.TLS.Certificates[0]), newCertificate(t)
	ask := func(pair [2]string) error {
		trusting, err := clientOf(pair[0], pair[1])
		require.NoError(t, err)
		c := &client{base: server.URL, http: trusting, out: io.Discard}
		_, err = call[page[order]](t.Context(), c, request{method: http.MethodGet, path: "/orders/", want: http.StatusOK})
		return err
	}
	require.NoError(t, ask(own))
	require.ErrorContains(t, ask(other), "another certificate")
	_, err := clientOf("nowhere.pem", "nowhere.pem")
	require.ErrorContains(t, err, "nowhere.pem")
}

// newCertificate makes a certificate that nobody uses.
func newCertificate(t *testing.T) [2]string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	content, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	require.NoError(t, err)
	return certificate(t, tls.Certificate{Certificate: [][]byte{content}, PrivateKey: private})
}

// certificate writes a certificate and its key into files.
func certificate(t *testing.T, pair tls.Certificate) [2]string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	folder := t.TempDir()
	files := [2]string{filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")}
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, {Type: "PRIVATE KEY", Bytes: key}} {
		require.NoError(t, os.WriteFile(files[i], pem.EncodeToMemory(block), 0o600))
	}
	return files
}
