package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
)

// caller is someone on whose behalf the gateway sends requests.
type caller struct {
	*process
	principal string // signed
	after     consistency.Token
}

// toldOfAll is the caller once others have told it what they wrote.
func (c caller) toldOfAll() caller {
	c.after = consistency.Newest
	return c
}

func (p *process) as(t *testing.T, memberID uint64) caller {
	t.Helper()
	return p.asPrincipal(t, authn.Principal{MemberID: memberID, SessionID: 1, Admin: memberID == boss})
}

func (p *process) asPrincipal(t *testing.T, principal authn.Principal) caller {
	t.Helper()
	signed, err := p.signer.Sign(principal, orders.Service)
	require.NoError(t, err)
	return caller{process: p, principal: signed}
}

// answer is what came back. JSON numbers stay as they were written.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// message is a request; what is empty is not sent.
type message struct {
	method, path, contentType, body string
	header                          map[string]string
}

func (c caller) send(t *testing.T, sent message) answer {
	t.Helper()
	result, err := c.try(t.Context(), sent)
	require.NoError(t, err)
	return result
}

// try is send for other goroutines than the test's.
func (c caller) try(ctx context.Context, sent message) (answer, error) {
	url := "http://" + c.HTTP.String() + sent.path
	request, err := http.NewRequestWithContext(ctx, sent.method, url, strings.NewReader(sent.body))
	if err != nil {
		return answer{}, err
	}
	if c.principal != "" {
		request.Header.Set(assertion.Header, c.principal)
	}
	if c.after != 0 {
		request.Header.Set(consistency.Header, c.after.String())
	}
	if sent.contentType != "" {
		request.Header.Set("Content-Type", sent.contentType)
	}
	for name, value := range sent.header {
		request.Header.Set(name, value)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	return read(response)
}

func read(response *http.Response) (answer, error) {
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	result := answer{status: response.StatusCode, header: response.Header, text: string(content)}
	if len(content) > 0 {
		decoder := json.NewDecoder(strings.NewReader(result.text))
		decoder.UseNumber()
		err = decoder.Decode(&result.body)
	}
	return result, err
}

func (c caller) get(t *testing.T, path string) answer {
	t.Helper()
	return c.send(t, message{method: http.MethodGet, path: path})
}

func (c caller) post(t *testing.T, body string) answer {
	t.Helper()
	return c.json(t, http.MethodPost, "/orders/", body)
}

func (c caller) json(t *testing.T, method, path, body string) answer {
	t.Helper()
	return c.send(t, message{method: method, path: path, contentType: "application/json", body: body})
}

// order makes an order and returns its path.
func (c caller) order(t *testing.T, number, product string) string {
	t.Helper()
	created := c.post(t, fmt.Sprintf(`{"order_number": %q, "product_name": %q}`, number, product))
	require.Equal(t, http.StatusCreated, created.status, created.text)
	return created.header.Get("Location")
}

// list returns the numbers of the orders that a list shows.
func (c caller) list(t *testing.T, path string) []string {
	t.Helper()
	result := c.get(t, path)
	require.Equal(t, http.StatusOK, result.status, result.text)
	return result.numbers(t)
}

func (a answer) numbers(t *testing.T) []string {
	t.Helper()
	results, ok := a.body["results"].([]any)
	require.True(t, ok, a.text)
	numbers := []string{}
	for _, result := range results {
		shown, ok := result.(map[string]any)
		require.True(t, ok, a.text)
		numbers = append(numbers, fmt.Sprint(shown["order_number"]))
	}
	return numbers
}

// internals is what tells about SQL, servers and Go.
var internals = regexp.MustCompile(`(?i)sql|from orders|127\.0\.0\.1|localhost|nats|goroutine|\.go\b|strconv|json:|unmarshal|error \d{4}|invalid character|context deadline`)

// requireProblem demands a refusal in its documented form that tells nothing of the inside.
func (a answer) requireProblem(t *testing.T, status int) {
	t.Helper()
	require.Equal(t, status, a.status, a.text)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	require.Equal(t, json.Number(fmt.Sprint(status)), a.body["status"])
	for _, name := range []string{"type", "title", "detail"} {
		require.NotEmpty(t, a.body[name], a.text)
	}
	require.NotRegexp(t, internals, a.text)
}

// requireField demands a message for one field, and none for others.
func (a answer) requireField(t *testing.T, field, text string) {
	t.Helper()
	a.requireProblem(t, http.StatusBadRequest)
	for name, value := range a.body {
		switch name {
		case "type", "title", "status", "detail":
		case field:
			require.Contains(t, value, text, a.text)
		default:
			require.Fail(t, "another field is refused", a.text)
		}
	}
	require.Contains(t, a.body, field, a.text)
}

// raw sends a request line that net/http would not let out.
func (c caller) raw(t *testing.T, line string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", c.HTTP.String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n%s: %s\r\n\r\n", line, assertion.Header, c.principal)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	result, err := read(response)
	require.NoError(t, err)
	return result
}
