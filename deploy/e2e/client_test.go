package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
)

// client is one HTTP client of the system under test.
type client struct {
	http  *http.Client
	base  string
	token string
	told  string // the Consistency-Token that it shows
}

func newClient() client {
	return client{http: &http.Client{Timeout: patience, Transport: checks.Transport(http.DefaultTransport)}, base: gatewayURL()}
}

// as returns a client that shows the token.
func (c client) as(token string) client {
	c.token = token
	return c
}

type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// do sends a request with a JSON body, unless body is nil, and reads the whole answer.
func (c client) do(t *testing.T, method, path string, body any) answer {
	t.Helper()
	got, err := c.try(t.Context(), method, path, body)
	require.NoError(t, err, "%s %s", method, path)
	return got
}

func (c client) try(ctx context.Context, method, path string, body any) (answer, error) {
	var content io.Reader
	contentType := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content, contentType = bytes.NewReader(encoded), "application/json"
	}
	return c.send(ctx, method, path, contentType, content)
}

func (c client) send(ctx context.Context, method, path, contentType string, content io.Reader) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Token "+c.token)
	}
	if c.told != "" {
		request.Header.Set(consistency.Header, c.told)
	}
	return c.read(request)
}

func (c client) read(request *http.Request) (answer, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	got := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if kind := response.Header.Get("Content-Type"); strings.HasPrefix(kind, "application/json") || strings.Contains(kind, "+json") {
		if err := json.Unmarshal(text, &got.body); err != nil {
			return answer{}, fmt.Errorf("body %q: %w", text, err)
		}
	}
	return got, nil
}

// password passes the rules.
const password = "Jhlee'spwd0"

// member is a member that a test signed up.
type member struct {
	client
	id      uint64
	email   string
	refresh string // token of its first session
}

// signUp creates a member that no other test knows.
func signUp(t *testing.T) member {
	t.Helper()
	email := unique() + "@e2e.test"
	got := newClient().do(t, http.MethodPost, "/accounts/users", newMember(email))
	require.Equal(t, http.StatusCreated, got.status, got.text)
	return member{
		client: newClient().as(got.body["token"].(string)), id: idOf(got.body["user"]), email: email, refresh: got.body["refresh_token"].(string),
	}
}

func newMember(email string) map[string]any {
	return map[string]any{"email": email, "password": password, "name": "김선기", "nickname": "sungi", "phone": "01083574364"}
}

func newOrder(product string) map[string]any { return map[string]any{"product_name": product} }

func idOf(resource any) uint64 { return uint64(resource.(map[string]any)["id"].(float64)) }

// unique returns lower-case letters and digits that were never used before.
func unique() string { return strings.ToLower(rand.Text()) }
