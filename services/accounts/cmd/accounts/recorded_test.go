package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
)

// recorded is an exchange with the real drf-oms. testdata/drf-oms.json holds those that concern accounts alone.
type recorded struct {
	Name         string
	Method, Path string
	Headers      map[string]string
	JSON         json.RawMessage
	Raw, CType   string
	Captures     string
	DetailPrefix string `json:"detail_prefix"`
	Answer       struct {
		Status          int
		Body            map[string]any
		WWWAuthenticate string `json:"www_authenticate"`
	}
}

// wanted are the answers where drf-oms is wrong; the file says why.
var wanted = map[string]struct {
	status int
	body   map[string]any
}{
	"signup duplicate email":     {http.StatusBadRequest, map[string]any{"email": []any{"user with this email already exists."}}},
	"signup without password":    {http.StatusBadRequest, map[string]any{"password": []any{"This field is required."}}},
	"user patch other":           {http.StatusForbidden, map[string]any{"detail": "You do not have permission to perform this action."}},
	"user delete other":          {http.StatusForbidden, map[string]any{"detail": "You do not have permission to perform this action."}},
	"user patch duplicate email": {http.StatusBadRequest, map[string]any{"email": []any{"user with this email already exists."}}},
	"user patch password":        {http.StatusBadRequest, map[string]any{"current_password": []any{"This field is required."}}},
}

func readRecorded(t *testing.T) []recorded {
	t.Helper()
	content, err := os.ReadFile("testdata/drf-oms.json")
	require.NoError(t, err)
	var file struct{ Cases []recorded }
	require.NoError(t, json.Unmarshal(content, &file))
	require.Len(t, file.Cases, 29)
	return file.Cases
}

// replay knows the sessions that earlier cases opened.
type replay struct {
	*process
	sessions map[string]authn.Principal
}

func TestTheRecordedExchangesReplay(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, func(uint64) bool { return false })
	p := s.start(t)
	r := replay{process: p, sessions: map[string]authn.Principal{}}
	for _, test := range readRecorded(t) {
		before := p.content(t)
		require.NoError(t, s.pair.Sync(t.Context())) // one caller may see what another one wrote a moment later
		got := r.play(t, test)
		r.check(t, test, got)
		if got.status >= http.StatusBadRequest {
			got.problem(t)
			require.Equal(t, before, p.content(t), "%s: something was written", test.Name)
		}
	}
}

func (r replay) play(t *testing.T, test recorded) answer {
	t.Helper()
	fill := strings.NewReplacer("{run}", "run1", "{A.id}", fmt.Sprint(r.sessions["A"].MemberID), "{C.id}", fmt.Sprint(r.sessions["C"].MemberID))
	caller := anonymous
	if token, found := strings.CutPrefix(test.Headers["Authorization"], "Token "); found {
		caller, found = r.sessions[strings.Trim(token, "{}")]
		require.True(t, found, "%s: %s", test.Name, token)
	}
	body, contentType := string(test.JSON), mediaType
	if test.CType != "" {
		body, contentType = test.Raw, test.CType
	}
	got := r.send(t, r.sign(t, caller), test.Method, fill.Replace(test.Path), contentType, fill.Replace(body))
	if test.Captures != "" {
		r.sessions[test.Captures] = principal(t, got)
	}
	return got
}

func (r replay) check(t *testing.T, test recorded, got answer) {
	t.Helper()
	want := test.Answer
	if deviation, deviates := wanted[test.Name]; deviates {
		want.Status, want.Body = deviation.status, deviation.body
	}
	if want.Status == http.StatusOK && test.Method == http.MethodPost && test.Path == "/accounts/users" {
		want.Status = http.StatusCreated
	}
	require.Equal(t, want.Status, got.status, "%s: %s", test.Name, got.body)
	require.True(t, strings.HasPrefix(got.header.Get("WWW-Authenticate"), want.WWWAuthenticate), test.Name)
	if want.Body == nil {
		require.Empty(t, got.body, test.Name)
		return
	}
	if test.DetailPrefix != "" {
		require.True(t, strings.HasPrefix(got.object(t)["detail"].(string), test.DetailPrefix), "%s: %s", test.Name, got.body)
		return
	}
	r.contains(t, want.Body, got.object(t), test.Name)
}

// contains checks that an answer holds all that the recorded one holds: objects may have more members, lists not.
func (r replay) contains(t *testing.T, want, got any, where string) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok, "%s: %v", where, got)
		for name, value := range want {
			require.Contains(t, object, name, where)
			r.contains(t, value, object[name], where+"."+name)
		}
	case string:
		switch want {
		case "$A", "$B", "$C":
			require.InDelta(t, r.sessions[want[1:]].MemberID, got, 0, where)
		case "$token":
			require.NotEmpty(t, got, where)
		default:
			require.Equal(t, strings.ReplaceAll(want, "{run}", "run1"), got, where)
		}
	default:
		require.Equal(t, want, got, where)
	}
}
