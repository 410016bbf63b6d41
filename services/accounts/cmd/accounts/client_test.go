package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
)

const (
	secret    = "Jhlee'spwd0"
	mediaType = "application/json"
)

var anonymous = authn.Principal{}

// answer is what the process answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// request makes a request as the gateway does, without the principal where signed is "".
func (p *process) request(t *testing.T, signed, method, path, contentType, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://%s%s", p.HTTP, path), strings.NewReader(body))
	require.NoError(t, err)
	if signed != "" {
		request.Header.Set(assertion.Header, signed)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return request
}

// answerTo sends a request. Other goroutines than the test's may call it.
func answerTo(request *http.Request) (answer, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: string(content)}, err
}

// send sends a request and returns its answer.
func (p *process) send(t *testing.T, signed, method, path, contentType, body string) answer {
	t.Helper()
	got, err := answerTo(p.request(t, signed, method, path, contentType, body))
	require.NoError(t, err, "%s %s", method, path)
	return got
}

// do sends a request of a caller, with a JSON body unless it is "".
func (p *process) do(t *testing.T, caller authn.Principal, method, path, body string) answer {
	t.Helper()
	contentType := ""
	if body != "" {
		contentType = mediaType
	}
	return p.send(t, p.sign(t, caller), method, path, contentType, body)
}

// object decodes the body.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &object), "%s", a.body)
	return object
}

// internals are words that only our side of the surface knows.
var internals = []string{"mysql", "mariadb", "select ", "insert ", "sqlstate", "127.0.0.1", "goroutine", ".go", "strconv", "unmarshal", "nats", "panic"}

// problem decodes a refusal and checks that it has the documented form and tells nothing of what is inside.
func (a answer) problem(t *testing.T) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%s", a.body)
	problem := a.object(t)
	require.InDelta(t, a.status, problem["status"], 0)
	require.Equal(t, http.StatusText(a.status), problem["title"])
	require.IsType(t, "", problem["detail"])
	require.Regexp(t, `^urn:oms:fault:[a-z_]+$`, problem["type"])
	for _, word := range internals {
		require.NotContains(t, strings.ToLower(a.body), word)
	}
	return problem
}

// signUpBody is a complete body of a sign-up.
func signUpBody(email string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q,"name":"김선기","nickname":"sungi","phone":"01083574364"}`, email, secret)
}

// signUp creates a member and returns it as a caller.
func (p *process) signUp(t *testing.T, email string) authn.Principal {
	t.Helper()
	got := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody(email))
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	return principal(t, got)
}

// principal is what the gateway makes of the token in an answer.
func principal(t *testing.T, login answer) authn.Principal {
	t.Helper()
	token, _ := login.object(t)["token"].(string)
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	require.NoError(t, err)
	claims := parsed.Claims.(jwt.MapClaims)
	number := func(name string) uint64 {
		text, _ := claims[name].(string)
		value, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, name)
		return value
	}
	admin, _ := claims["adm"].(bool)
	return authn.Principal{MemberID: number("sub"), SessionID: number("sid"), Admin: admin}
}

func userPath(id uint64) string { return fmt.Sprintf("/accounts/users/%d", id) }

// conditional sends a request of a caller under a condition.
func (p *process) conditional(t *testing.T, caller authn.Principal, method, path, body, header, value string) answer {
	t.Helper()
	request := p.request(t, p.sign(t, caller), method, path, "", body)
	if body != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	request.Header.Set(header, value)
	got, err := answerTo(request)
	require.NoError(t, err)
	return got
}

func tag(t *testing.T, got answer) string {
	t.Helper()
	require.Regexp(t, `^"\d+\.\d+-[A-Za-z0-9_-]{22}"$`, got.header.Get("Etag"), "%s", got.body)
	return got.header.Get("Etag")
}
