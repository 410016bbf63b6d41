package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded is one exchange with the real drf-oms; testdata/drf-oms.json holds them in the order in which they happened.
type recorded struct {
	Name         string
	Method       string
	Path         string
	Headers      map[string]string
	JSON         json.RawMessage
	Raw          *string
	ContentType  string `json:"ctype"`
	Captures     string
	DetailPrefix string `json:"detail_prefix"`
	Deviates     string
	Answer       struct {
		Status          int
		Body            json.RawMessage
		WWWAuthenticate string `json:"www_authenticate"`
	}
}

// signsUp reports whether the exchange makes a member of the replay.
func (r recorded) signsUp() bool { return r.Captures != "" && strings.HasPrefix(r.Name, "signup ") }

// replay holds what the requests so far have brought: ids and tokens by the names of the recorded sessions.
type replay struct {
	run, num string
	ids      map[string]uint64
	tokens   map[string]string
	// imported says that the members are there before their sign-up, with tokens.
	imported bool
}

func TestEveryRecordedExchangeWithDRFOMSReplays(t *testing.T) {
	t.Parallel()
	newReplay().playAll(t)
}

func newReplay() *replay {
	return &replay{
		run: unique(), num: fmt.Sprintf("%08d", rand.IntN(100_000_000)),
		ids: map[string]uint64{}, tokens: map[string]string{},
	}
}

func (r *replay) playAll(t *testing.T) {
	t.Helper()
	for _, exchange := range recordedExchanges(t) {
		// In order and in one test: later cases rely on earlier ones.
		ok := t.Run(exchange.Name, func(t *testing.T) { r.play(t, exchange) })
		require.True(t, ok, "the cases behind a failed one would fail for its reason")
	}
}

func recordedExchanges(t *testing.T) []recorded {
	t.Helper()
	content, err := os.ReadFile("testdata/drf-oms.json")
	require.NoError(t, err)
	var file struct{ Cases []recorded }
	require.NoError(t, json.Unmarshal(content, &file))
	require.Len(t, file.Cases, 55, "all recorded cases are there")
	return file.Cases
}

func (r *replay) play(t *testing.T, exchange recorded) {
	t.Helper()
	if r.imported && exchange.signsUp() {
		return
	}
	got := r.request(t, exchange)
	if got.status >= http.StatusBadRequest {
		require.Equal(t, "application/problem+json", got.header.Get("Content-Type"), got.text)
	}
	if exchange.Deviates != "" {
		check, known := deviations[exchange.Name]
		require.True(t, known, "what is wanted instead of a wrong answer is written down")
		check(t, r, got)
		return
	}
	status := exchange.Answer.Status
	if strings.HasPrefix(exchange.Name, "signup ") && status == http.StatusOK {
		status = http.StatusCreated
		require.Equal(t, fmt.Sprintf("/accounts/users/%d", idOf(got.body["user"])), got.header.Get("Location"))
	}
	require.Equal(t, status, got.status, got.text)
	if want := exchange.Answer.WWWAuthenticate; want != "" {
		require.True(t, strings.HasPrefix(got.header.Get("WWW-Authenticate"), want))
	}
	if exchange.Captures != "" {
		r.ids[exchange.Captures], r.tokens[exchange.Captures] = idOf(got.body["user"]), got.body["token"].(string)
	}
	if exchange.DetailPrefix != "" {
		require.True(t, strings.HasPrefix(got.body["detail"].(string), exchange.DetailPrefix), got.text)
		return
	}
	var want any
	require.NoError(t, json.Unmarshal([]byte(r.fill(string(exchange.Answer.Body))), &want))
	if want == nil {
		require.Empty(t, got.text)
		return
	}
	r.requireHolds(t, want, any(got.body), "body")
}

func (r *replay) request(t *testing.T, exchange recorded) answer {
	t.Helper()
	body, contentType := r.fill(string(exchange.JSON)), "application/json"
	switch {
	case exchange.Raw != nil:
		body, contentType = *exchange.Raw, exchange.ContentType
	case exchange.JSON == nil:
		contentType = ""
	}
	request, err := http.NewRequestWithContext(t.Context(), exchange.Method, gatewayURL()+r.fill(exchange.Path), strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for name, value := range exchange.Headers {
		request.Header.Set(name, r.fill(value))
	}
	got, err := newClient().read(request)
	require.NoError(t, err)
	return got
}

var (
	quotedID = regexp.MustCompile(`"\{(\w+)\.id\}"`)
	slot     = regexp.MustCompile(`\{(\w+(?:\.id)?)\}`)
)

// fill puts ids, tokens and the replay's own names into a recorded text. A value that is only an id becomes a number.
func (r *replay) fill(text string) string {
	text = quotedID.ReplaceAllString(text, "{$1.id}")
	return slot.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "{}")
		if session, isID := strings.CutSuffix(name, ".id"); isID {
			return strconv.FormatUint(r.ids[session], 10)
		}
		switch name {
		case "run":
			return r.run
		case "num":
			return r.num
		}
		if token, found := r.tokens[name]; found {
			return token
		}
		return found
	})
}

var (
	tokenForm = regexp.MustCompile(`^[\w.-]{20,}$`)
	seoulTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+09:00$`)
)

// requireHolds demands that got holds all that want holds: objects may have more members, lists not more elements.
func (r *replay) requireHolds(t *testing.T, want, got any, where string) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok, "%s is an object: %v", where, got)
		for name, value := range want {
			require.Contains(t, object, name, where)
			r.requireHolds(t, value, object[name], where+"."+name)
		}
	case []any:
		list, ok := got.([]any)
		require.True(t, ok, "%s is a list: %v", where, got)
		require.Len(t, list, len(want), where)
		for i, value := range want {
			r.requireHolds(t, value, list[i], fmt.Sprintf("%s[%d]", where, i))
		}
	case string:
		r.requireText(t, want, got, where)
	default:
		require.Equal(t, want, got, where)
	}
}

func (r *replay) requireText(t *testing.T, want string, got any, where string) {
	t.Helper()
	switch {
	case want == "$token":
		require.Regexp(t, tokenForm, got, where)
	case want == "$seoul-time":
		require.Regexp(t, seoulTime, got, where)
	case strings.HasPrefix(want, "$"):
		r.requireID(t, strings.TrimPrefix(want, "$"), got, where)
	case strings.HasSuffix(where, ".next"), strings.HasSuffix(where, ".previous"):
		link, err := url.Parse(got.(string))
		require.NoError(t, err)
		require.True(t, link.IsAbs(), where)
		require.Equal(t, gatewayURL(), link.Scheme+"://"+link.Host, where)
		require.Equal(t, want, link.Path+"?"+link.Query().Encode(), where)
	default:
		require.Equal(t, want, got, where)
	}
}

func (r *replay) requireID(t *testing.T, session string, got any, where string) {
	t.Helper()
	id, ok := got.(float64)
	require.True(t, ok, "%s is a number: %v", where, got)
	require.Equal(t, r.ids[session], uint64(id), where)
}
