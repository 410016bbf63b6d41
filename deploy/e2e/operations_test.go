package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"oms.internal/deploy/internal/described"
)

// stage has who and what the requests of an operation are about.
type stage struct {
	admin, subject member
	// changing is the member that is changed, so that the subject's email and password stay known.
	changing member
}

func newStage(t *testing.T) stage {
	t.Helper()
	return stage{admin: newAdmin(t), subject: signUp(t), changing: signUp(t)}
}

// call is a request of an operation.
type call struct {
	operation described.Operation
	client    client
	path      map[string]any
	query     url.Values
	headers   map[string]string
	mediaType string
	body      map[string]any
	// known are values of fields that cannot be made from a schema, since they must name what there is.
	known map[string]any
}

// prepare makes a call that lacks only what is to be drawn. What an operation takes away is made anew each time.
func (s stage) prepare(t *testing.T, operation described.Operation) call {
	t.Helper()
	c := call{
		operation: operation, client: s.admin.client, path: map[string]any{}, query: url.Values{}, headers: map[string]string{},
		known: map[string]any{"customer": s.subject.id},
	}
	switch {
	case operation.ID == "deleteMember":
		c.path["id"] = signUp(t).id
	case operation.ID == "logIn":
		c.known["email"], c.known["password"] = s.subject.email, password
	case operation.ID == "refresh":
		_, _, c.known["refresh_token"] = login(t, s.subject.email)
	case operation.ID == "logOut", operation.ID == "logOutEverywhere":
		c.client = signUp(t).client
	case operation.ID == "endSession":
		_, c.path["id"], _ = login(t, s.subject.email)
	case operation.ID == "getMember":
		c.path["id"] = s.subject.id
	case strings.HasPrefix(operation.Path, "/accounts/users/{id}"):
		c.path["id"] = s.changing.id
	case strings.HasPrefix(operation.Path, "/orders/{id}"):
		order := orderOf(t, s.subject)
		c.path["id"], c.known["state"] = order, "paid"
		c.path["step"] = firstStep(t, s.admin.token, order)
	case operation.ID == "createOrder":
		c.known["state"] = "paid"
	}
	return c
}

// draw adds what the schemas of the operation allow.
func (c *call) draw(t *rapid.T) {
	for _, parameter := range c.operation.Parameters {
		if parameter.In == "path" || !rapid.Bool().Draw(t, "whether "+parameter.Name) {
			continue
		}
		value := textOf(valuesOf(parameter.Schema).Draw(t, parameter.Name))
		switch {
		case parameter.Name == "Idempotency-Key":
			// A key that came before would be another request's.
			c.headers[parameter.Name] = value[:min(len(value), 200)] + unique()
		case parameter.In == "header":
			c.headers[parameter.Name] = value
		default:
			c.query.Set(parameter.Name, value)
		}
	}
	if c.operation.Body == nil {
		return
	}
	c.mediaType = rapid.SampledFrom(slices.Sorted(maps.Keys(c.operation.Body))).Draw(t, "type")
	schema := c.operation.Body[c.mediaType]
	c.body = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(schema["properties"].(described.Schema))) {
		known, isKnown := c.known[name]
		switch {
		case !isRequired(schema, name) && !rapid.Bool().Draw(t, "whether "+name):
		case isKnown:
			c.body[name] = known
		default:
			c.body[name] = valuesOf(schema["properties"].(described.Schema)[name].(described.Schema)).Draw(t, name)
		}
	}
	if rapid.Bool().Draw(t, "whether a field that is not known") {
		c.body["not_known"] = "x"
	}
}

func isRequired(schema described.Schema, name string) bool {
	required, _ := schema["required"].([]any)
	return slices.Contains(required, any(name))
}

// textOf is a value as it stands in a URL, a header or a form.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case []any:
		var parts []string
		for _, part := range value {
			parts = append(parts, textOf(part))
		}
		return strings.Join(parts, ",")
	default:
		return fmt.Sprint(value)
	}
}

// send sends the call.
func (c *call) send(t *testing.T) answer {
	t.Helper()
	target := c.operation.Path
	for name, value := range c.path {
		target = strings.ReplaceAll(target, "{"+name+"}", textOf(value))
	}
	var content []byte
	switch c.mediaType {
	case "application/json":
		encoded, err := json.Marshal(c.body)
		require.NoError(t, err)
		content = encoded
	case "application/x-www-form-urlencoded":
		form := url.Values{}
		for name, value := range c.body {
			form.Set(name, textOf(value))
		}
		content = []byte(form.Encode())
	}
	request, err := http.NewRequestWithContext(t.Context(), c.operation.Method, gatewayURL()+target+"?"+c.query.Encode(), bytes.NewReader(content))
	require.NoError(t, err)
	if c.mediaType != "" {
		request.Header.Set("Content-Type", c.mediaType)
	}
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Authorization", "Token "+c.client.token)
	got, err := c.client.read(request)
	require.NoError(t, err)
	return got
}

// String is what a failure shows.
func (c *call) String() string {
	return fmt.Sprintf("%s %v ?%s %v %s %v", c.operation.ID, c.path, c.query.Encode(), c.headers, c.mediaType, c.body)
}

// alsoMeant are the statuses beside 2xx that what was drawn means.
func (c *call) alsoMeant() []int {
	var statuses []int
	if c.query.Get("cursor") != "" {
		statuses = append(statuses, http.StatusNotFound) // no text that was drawn is a cursor
	}
	if c.headers["If-Match"] != "" || c.headers["If-None-Match"] != "" {
		statuses = append(statuses, http.StatusPreconditionFailed, http.StatusNotModified)
	}
	if c.operation.ID == "transitionOrder" {
		statuses = append(statuses, http.StatusConflict) // not every state follows on paid
	}
	return statuses
}

func TestEveryOperationAcceptsWhatItsSchemasAllow(t *testing.T) {
	t.Parallel()
	stage := newStage(t)
	for _, operation := range description.Operations() {
		t.Run(operation.ID, func(t *testing.T) {
			done := 0
			rapid.Check(t, func(drawn *rapid.T) {
				call := stage.prepare(t, operation)
				call.draw(drawn)
				got := call.send(t)
				if got.status/100 == done200 {
					done++
					return
				}
				require.Contains(drawn, call.alsoMeant(), got.status, "%s: %s", &call, got.text)
			})
			require.Positive(t, done, "something was done")
		})
	}
}

// done200 is the class of the statuses that say that a request was done.
const done200 = http.StatusOK / 100

// readSomehow are the parameters that are never refused with 400, as in drf-oms: what cannot be read counts as none, or is a page that is
// not there.
var readSomehow = map[string]int{
	"limit": http.StatusOK, "offset": http.StatusOK, "ordering": http.StatusOK, "cursor": http.StatusNotFound,
}

func TestEveryOperationRefusesWhatItsSchemasDoNotAllowNamesItAndChangesNothing(t *testing.T) {
	t.Parallel()
	stage := newStage(t)
	before, count := stage.state(t), 0
	for _, operation := range description.Operations() {
		t.Run(operation.ID, func(t *testing.T) {
			for _, parameter := range operation.Parameters {
				for _, broken := range violations(parameter.Schema) {
					if _, isObject := broken.value.(map[string]any); isObject || broken.value == nil {
						continue // a parameter is always text
					}
					count++
					stage.requireParameterRefused(t, operation, parameter, broken)
				}
			}
			schema := operation.Body["application/json"]
			for name, property := range at(schema, "properties") {
				broken := violations(property.(described.Schema))
				if isRequired(schema, name) {
					broken = append(broken, violation{"required", absent{}})
				}
				for _, broken := range broken {
					count++
					stage.requireFieldRefused(t, operation, name, broken)
				}
			}
		})
	}
	t.Logf("%d violations", count)
	require.Equal(t, before, stage.state(t))
}

// state is what refused requests could have changed but for orders, which each of them has anew.
func (s stage) state(t *testing.T) []any {
	t.Helper()
	var seen []any
	for _, one := range []member{s.subject, s.changing} {
		got := s.admin.do(t, http.MethodGet, fmt.Sprintf("/accounts/users/%d", one.id), nil)
		require.Equal(t, http.StatusOK, got.status, got.text)
		delete(got.body, "last_order")
		seen = append(seen, got.body)
	}
	return seen
}

// absent stands for a field that is not there.
type absent struct{}

func at(schema described.Schema, name string) described.Schema {
	found, _ := schema[name].(described.Schema)
	return found
}

// valid is a call that would be done: the example of the description, with what must name what there is.
func (s stage) valid(t *testing.T, operation described.Operation) call {
	t.Helper()
	c := s.prepare(t, operation)
	if operation.Body != nil {
		c.mediaType, c.body = "application/json", maps.Clone(operation.Example)
		for name := range c.body {
			if known, found := c.known[name]; found {
				c.body[name] = known
			}
		}
	}
	return c
}

func (s stage) requireFieldRefused(t *testing.T, operation described.Operation, name string, broken violation) {
	t.Helper()
	call := s.valid(t, operation)
	call.body[name] = broken.value
	if broken.value == (absent{}) {
		delete(call.body, name)
	}
	got := call.send(t)
	require.Equal(t, http.StatusBadRequest, got.status, "%s of %s: %s: %s", broken.constraint, name, &call, got.text)
	require.NotEmpty(t, got.body[name], "%s of %s: %s: %s", broken.constraint, name, &call, got.text)
	require.Equal(t, "urn:oms:fault:invalid", got.body["type"])
}

func (s stage) requireParameterRefused(t *testing.T, operation described.Operation, parameter described.Parameter, broken violation) {
	t.Helper()
	call, text := s.valid(t, operation), textOf(broken.value)
	switch parameter.In {
	case "path":
		call.path[parameter.Name] = text
		got := call.send(t)
		require.Equal(t, http.StatusNotFound, got.status, "%s: %s", &call, got.text)
	case "header":
		call.headers[parameter.Name] = text
		got := call.send(t)
		require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", &call, got.text)
		require.Contains(t, got.body["detail"], parameter.Name)
	case "query":
		call.query.Set(parameter.Name, text)
		got := call.send(t)
		if status, somehow := readSomehow[parameter.Name]; somehow {
			require.Equal(t, status, got.status, "%s: %s", &call, got.text)
			return
		}
		require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", &call, got.text)
		require.NotEmpty(t, got.body[parameter.Name], "%s: %s", &call, got.text)
	}
}
