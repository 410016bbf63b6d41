package described_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"oms.internal/deploy/internal/described"
	"oms.internal/gateway"
)

// readOnce reads the description once for all tests, because its schemas take a while.
var readOnce = sync.OnceValues(func() (*described.Description, error) { return described.Read(gateway.Description) })

func read(t testing.TB) *described.Description {
	t.Helper()
	description, err := readOnce()
	require.NoError(t, err)
	return description
}

const (
	order   = `{"id":12,"customer":7,"order_number":"12345678ABCD","product_name":"p","paymented_at":"2026-11-23T21:00:00.123456+09:00","state":"paid"}`
	member  = `{"id":7,"email":"a@b.test","name":"n","nickname":"n","phone":"1","gender":null,"last_order":` + order + `}`
	problem = `{"type":"urn:oms:fault:invalid","title":"Bad Request","status":400,"detail":"Invalid input.","email":["x"]}`
	missing = `{"type":"urn:oms:fault:not_found","title":"Not Found","status":404,"detail":"Not found."}`
	wrong   = `{"type":"urn:oms:fault:method_not_allowed","title":"Method Not Allowed","status":405,"detail":"No."}`
)

// exchange is a request with its answer.
type exchange struct {
	method, target string
	status         int
	headers        map[string]string // beside those that every answer has
	body           string
}

func (e exchange) check(t *testing.T) error {
	t.Helper()
	headers := http.Header{"X-Request-Id": {"a"}, "Cache-Control": {"no-store"}, "Date": {"now"}}
	if e.body != "" {
		headers.Set("Content-Type", "application/json")
	}
	if e.status >= http.StatusBadRequest {
		headers.Set("Content-Type", "application/problem+json")
	}
	for name, value := range e.headers {
		headers.Set(name, value)
	}
	return read(t).Check(e.method, e.target, e.status, headers, []byte(e.body))
}

var etag = map[string]string{"Etag": `"a"`}

func with(headers map[string]string, name, value string) map[string]string {
	more := maps.Clone(headers)
	more[name] = value
	return more
}

func TestAnAnswerThatIsDescribedPasses(t *testing.T) {
	t.Parallel()
	for name, passes := range map[string]exchange{
		"a body":                      {http.MethodGet, "/orders/12", 200, etag, order},
		"a body within another":       {http.MethodGet, "/accounts/users/7?x=1", 200, etag, member},
		"a field that is refused":     {http.MethodPost, "/accounts/users", 400, nil, problem},
		"no body":                     {http.MethodPost, "/auth/logout", 204, nil, ""},
		"HEAD of what takes GET":      {http.MethodHead, "/orders/12", 200, with(etag, "Content-Type", "application/json"), ""},
		"OPTIONS":                     {http.MethodOptions, "/orders/12", 204, map[string]string{"Allow": "DELETE, GET"}, ""},
		"a collection without slash":  {http.MethodGet, "/orders", 401, map[string]string{"Www-Authenticate": "Token"}, strings.ReplaceAll(strings.ReplaceAll(missing, "404", "401"), "not_found", "unauthenticated")},
		"another method":              {"BREW", "/orders/12", 405, map[string]string{"Allow": "GET"}, wrong},
		"a path that is not there":    {http.MethodGet, "/nowhere", 404, nil, missing},
		"an escaped path":             {http.MethodPost, "/orders/%31", 404, nil, missing},
		"text of another type":        {http.MethodGet, "/orders/export", 200, map[string]string{"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": "attachment"}, "id"},
		"a header with a number":      {http.MethodGet, "/orders/", 429, map[string]string{"Retry-After": "1"}, strings.ReplaceAll(strings.ReplaceAll(missing, "404", "429"), "not_found", "too_many_requests")},
		"headers that browsers heed":  {http.MethodPost, "/auth/logout", 204, map[string]string{"Vary": "Origin", "X-Frame-Options": "DENY"}, ""},
		"a literal before an id":      {http.MethodGet, "/orders/export?format=xml", 400, nil, strings.ReplaceAll(problem, "email", "format")},
		"an answer that may be large": {http.MethodGet, "/orders/?limit=1", 200, nil, `{"count":1,"next":null,"previous":"http://a.test/orders/","results":[` + order + `]}`},
	} {
		require.NoError(t, passes.check(t), name)
	}
}

func TestAnAnswerThatIsNotDescribedIsTold(t *testing.T) {
	t.Parallel()
	extra := strings.Replace(order, `{`, `{"secret":1,`, 1)
	for name, fails := range map[string]struct {
		exchange
		told string
	}{
		"a status":                        {exchange{http.MethodGet, "/orders/12", 402, etag, order}, "does not have this status"},
		"a member":                        {exchange{http.MethodGet, "/orders/12", 200, etag, extra}, "secret"},
		"a member within another":         {exchange{http.MethodGet, "/accounts/users/7", 200, etag, strings.Replace(member, order, extra, 1)}, "secret"},
		"a member in a list":              {exchange{http.MethodGet, "/orders/", 200, nil, `{"next":null,"previous":null,"results":[` + extra + `]}`}, "secret"},
		"a field that is not the route's": {exchange{http.MethodPost, "/orders/", 400, nil, problem}, "email"},
		"a type of refusal":               {exchange{http.MethodPost, "/accounts/users", 400, nil, strings.Replace(problem, "invalid", "not_found", 1)}, "/type"},
		"a status within the body":        {exchange{http.MethodPost, "/accounts/users", 400, nil, strings.Replace(problem, "400", "404", 1)}, "/status"},
		"a missing member":                {exchange{http.MethodGet, "/orders/12", 200, etag, strings.Replace(order, `"customer":7,`, "", 1)}, "customer"},
		"a value":                         {exchange{http.MethodGet, "/orders/12", 200, etag, strings.Replace(order, "paid", "lost", 1)}, "/state"},
		"a form":                          {exchange{http.MethodGet, "/orders/12", 200, etag, strings.Replace(order, ".123456", "", 1)}, "/paymented_at"},
		"a missing header":                {exchange{http.MethodGet, "/orders/12", 200, nil, order}, "Etag is missing"},
		"a header":                        {exchange{http.MethodGet, "/orders/12", 200, with(etag, "X-Secret", "1"), order}, "X-Secret"},
		"the value of a header":           {exchange{http.MethodGet, "/orders/12", 200, with(etag, "X-Request-Id", "a b"), order}, "X-Request-Id"},
		"a number in a header":            {exchange{http.MethodPost, "/accounts/users", 429, map[string]string{"Retry-After": "soon"}, strings.ReplaceAll(strings.ReplaceAll(missing, "404", "429"), "not_found", "too_many_requests")}, "Retry-After"},
		"a type":                          {exchange{http.MethodGet, "/orders/12", 200, with(etag, "Content-Type", "text/html"), order}, "text/html"},
		"no JSON":                         {exchange{http.MethodGet, "/orders/12", 200, etag, order + "x"}, "not JSON"},
		"a body where there is none":      {exchange{http.MethodPost, "/auth/logout", 204, nil, "{}"}, "no body"},
		"a body of HEAD":                  {exchange{http.MethodHead, "/orders/12", 200, etag, order}, "no body"},
		"what is not there":               {exchange{http.MethodGet, "/nowhere", 200, nil, order}, "does not have this status"},
		"405 without its methods":         {exchange{"BREW", "/orders/12", 405, nil, wrong}, "Allow is missing"},
	} {
		require.ErrorContains(t, fails.check(t), fails.told, name)
	}
}

// examples are what the description shows of answers.
type examples struct {
	Paths      map[string]map[string]yaml.Node
	Components struct {
		Responses map[string]struct {
			Headers map[string]reference
			Content map[string]struct {
				Examples map[string]struct{ Value any }
			}
		}
		Headers map[string]struct{ Example any }
	}
}

// reference leads to an answer or a header. A header may also be described where it stands.
type reference struct {
	To      string `yaml:"$ref"`
	Example any
}

// name is the last part of what the reference leads to.
func (r reference) name() string { return r.To[strings.LastIndex(r.To, "/")+1:] }

func TestEveryExampleOfAnAnswerIsOne(t *testing.T) {
	t.Parallel()
	var shown examples
	require.NoError(t, yaml.Unmarshal(gateway.Description, &shown))
	description, seen := read(t), 0
	for path, item := range shown.Paths {
		path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1")
		for method, node := range item {
			if method == "parameters" {
				continue
			}
			var operation struct{ Responses map[string]reference }
			require.NoError(t, node.Decode(&operation))
			for code, reference := range operation.Responses {
				status, err := strconv.Atoi(code)
				require.NoError(t, err)
				answer, headers := shown.Components.Responses[reference.name()], http.Header{}
				for name, header := range answer.Headers {
					if header.To != "" {
						header.Example = shown.Components.Headers[header.name()].Example
					}
					headers.Set(name, fmt.Sprint(header.Example))
				}
				for mediaType, content := range answer.Content {
					headers.Set("Content-Type", mediaType)
					for name, example := range content.Examples {
						body, isText := example.Value.(string)
						if !isText {
							encoded, err := json.Marshal(example.Value)
							require.NoError(t, err)
							body = string(encoded)
						}
						require.NoError(t, description.Check(strings.ToUpper(method), path, status, headers, []byte(body)), "%s of %s", name, reference.name())
						seen++
					}
				}
			}
		}
	}
	require.NotZero(t, seen)
}

func TestATransportTellsWhatIsAgainstTheDescriptionAndPassesOnTheRest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("X-Request-Id", "a")
		answer.Header().Set("Cache-Control", "no-store")
		answer.Header().Set("Content-Type", "application/problem+json")
		if request.URL.Path == "/nowhere" {
			answer.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(answer, missing)
	}))
	t.Cleanup(server.Close)
	checks := described.Checks{Description: read(t)}
	client := http.Client{Transport: checks.Transport(http.DefaultTransport)}
	get := func(path string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		require.NoError(t, err)
		return client.Do(request)
	}

	answer, err := get("/nowhere")
	require.NoError(t, err)
	content, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	require.JSONEq(t, missing, string(content))
	require.NoError(t, checks.Err())

	answer, err = get("/orders/1")
	if err == nil {
		require.NoError(t, answer.Body.Close())
	}
	require.ErrorContains(t, err, "GET /orders/1 was answered with 200")
	require.ErrorContains(t, checks.Err(), "GET /orders/1 was answered with 200", "also if who asked does not mind")
}

// broken answers with a body that breaks off.
type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}, nil
}

func TestATransportPassesOnAnAnswerThatBreaksOffAsFarAsItCame(t *testing.T) {
	t.Parallel()
	checks := described.Checks{Description: read(t)}
	answer, err := checks.Transport(broken{}).RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders/", nil))
	require.NoError(t, err)
	content, err := io.ReadAll(answer.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "half", string(content))
	require.NoError(t, checks.Err())
}

func BenchmarkCheck(b *testing.B) {
	description := read(b)
	headers := http.Header{"X-Request-Id": {"a"}, "Cache-Control": {"no-store"}, "Content-Type": {"application/problem+json"}}
	for b.Loop() {
		require.NoError(b, description.Check(http.MethodPost, "/accounts/users", http.StatusBadRequest, headers, []byte(problem)))
	}
}
