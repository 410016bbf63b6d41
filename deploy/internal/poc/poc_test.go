package poc

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
	return &client{base: server.URL, out: &strings.Builder{}}
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
