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
	"oms.internal/libs/client/api"
)

// answering plays a gateway that gives every request the same answer. It returns a walk through it, whose last member is in a session,
// and what the walk prints.
func answering(t *testing.T, status int, body string) (*walk, *strings.Builder) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	var printed strings.Builder
	w := &walk{gateway: server.URL, transcript: transcript{out: &printed, next: http.DefaultTransport}, members: []api.Member{{ID: 7, Name: "김선기"}}}
	var err error
	w.first, err = w.client()
	require.NoError(t, err)
	w.first.Resume(api.Grant{Token: token})
	w.second = w.first
	return w, &printed
}

var token, refresh = strings.Repeat("secretpart", 10), strings.Repeat("otherpart", 10)

func TestAnAnswerThatShouldHaveBeenARefusalIsAnError(t *testing.T) {
	w, _ := answering(t, http.StatusOK, `{"count":0,"next":null,"previous":null,"results":[]}`)
	require.EqualError(t, w.logOut(t.Context()), "the token of a session that ended is still accepted")
}

func TestTokensAndPasswordsAreNotPrintedWhole(t *testing.T) {
	w, printed := answering(t, http.StatusOK, fmt.Sprintf(`{"user":{"id":7,"name":"김선기"},"token":%q,"refresh_token":%q}`, token, refresh))
	require.EqualError(t, w.logIn(t.Context()), "two logins gave the same token")
	_, err := w.first.GetMember(t.Context(), 7, nil)
	require.NoError(t, err)
	require.Contains(t, printed.String(), "김선기")
	require.Contains(t, printed.String(), "(Authorization: Token secret…etpart)")
	require.NotContains(t, printed.String(), token)
	require.NotContains(t, printed.String(), refresh)
	require.NotContains(t, printed.String(), password)
}

func TestALongBodyIsCutBetweenCharacters(t *testing.T) {
	text := short([]byte(strings.Repeat("김", 1000)))
	require.True(t, strings.HasSuffix(text, "김…"))
	require.LessOrEqual(t, len(text), 403)
}

func TestTheWalkThroughEndsAtTheFirstWrongAnswer(t *testing.T) {
	w, _ := answering(t, http.StatusServiceUnavailable, `{"detail":"down"}`)
	var port int
	_, err := fmt.Sscanf(w.gateway, "http://127.0.0.1:%d", &port)
	require.NoError(t, err)
	var out strings.Builder
	err = Run(t.Context(), stack.Stack{Ports: stack.Ports{Gateway: port}}, &out)
	require.ErrorContains(t, err, "sign up: 503")
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
		trusting, err := transportOf(pair[0], pair[1])
		require.NoError(t, err)
		w := &walk{gateway: server.URL, transcript: transcript{out: io.Discard, next: trusting}}
		c, err := w.client()
		require.NoError(t, err)
		_, err = c.ListOrders(t.Context(), nil)
		return err
	}
	require.NoError(t, ask(own))
	require.ErrorContains(t, ask(other), "another certificate")
	_, err := transportOf("nowhere.pem", "nowhere.pem")
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
