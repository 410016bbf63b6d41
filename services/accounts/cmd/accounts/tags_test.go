package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
)

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

func TestAMemberBearsTheTagOfItsVersion(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, func(uint64) bool { return false })
	p := s.start(t)
	created := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"))
	require.Regexp(t, `^"\d+\.1-`, tag(t, created))
	caller := principal(t, created)
	path := userPath(caller.MemberID)
	first := tag(t, p.do(t, caller, http.MethodGet, path, ""))
	require.Regexp(t, `^"\d+\.1-`, first)
	for _, held := range []string{first, "W/" + first, `"other", ` + first, "*"} {
		same := p.conditional(t, caller, http.MethodGet, path, "", "If-None-Match", held)
		require.Equal(t, http.StatusNotModified, same.status, held)
		require.Empty(t, same.body)
		require.Equal(t, first, same.header.Get("Etag"))
	}
	patched := tag(t, p.do(t, caller, http.MethodPatch, path, `{"nickname":"other"}`))
	require.Regexp(t, `^"\d+\.2-`, patched)
	require.Equal(t, patched, tag(t, p.do(t, caller, http.MethodPatch, path, `{"nickname":"other"}`)), "nothing was changed")
	require.Equal(t, http.StatusOK, p.conditional(t, caller, http.MethodGet, path, "", "If-None-Match", first).status)
	put := p.do(t, caller, http.MethodPut, path, signUpBody("sungi@x.test"))
	require.Equal(t, http.StatusOK, put.status, "%s", put.body)
	require.Regexp(t, `^"\d+\.3-`, tag(t, put))
	masked := p.do(t, authn.Principal{MemberID: 1 << 40, SessionID: 1}, http.MethodGet, path, "")
	require.NotEqual(t, tag(t, put), tag(t, masked), "who sees less sees something else")

	login := fmt.Sprintf(`{"email":"sungi@x.test","password":%q}`, secret)
	require.Equal(t, http.StatusOK, p.do(t, anonymous, http.MethodPost, "/auth/login", login).status)
	require.Equal(t, put.header.Get("Etag"), tag(t, p.do(t, caller, http.MethodGet, path, "")), "a login changes no member")
}

func TestAChangeOfAnotherVersionThanTheClientSawIsRefused(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, func(uint64) bool { return false })
	p := s.start(t)
	created := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"))
	caller, stale := principal(t, created), tag(t, created)
	path := userPath(caller.MemberID)
	require.Equal(t, http.StatusOK, p.conditional(t, caller, http.MethodPatch, path, `{"nickname":"one"}`, "If-Match", stale).status)
	before := p.content(t)
	for _, test := range []struct{ method, body string }{
		{http.MethodPatch, `{"nickname":"two"}`}, {http.MethodPut, signUpBody("sungi@x.test")}, {http.MethodDelete, ""},
	} {
		for value, want := range map[string]int{
			stale: http.StatusPreconditionFailed, fmt.Sprintf(`"%d.9-x"`, caller.MemberID): http.StatusPreconditionFailed,
			fmt.Sprintf(`"%d.2-x"`, caller.MemberID+1): http.StatusPreconditionFailed, "2": http.StatusBadRequest,
		} {
			got := p.conditional(t, caller, test.method, path, test.body, "If-Match", value)
			require.Equal(t, want, got.status, "%s %s: %s", test.method, value, got.body)
			got.problem(t)
		}
	}
	require.Equal(t, before, p.content(t))
	// Who may not change the member hears that first.
	other := p.signUp(t, "other@x.test")
	require.Equal(t, http.StatusForbidden, p.conditional(t, other, http.MethodDelete, path, "", "If-Match", stale).status)

	present := tag(t, p.do(t, caller, http.MethodGet, path, ""))
	require.Equal(t, http.StatusOK, p.conditional(t, caller, http.MethodPatch, path, `{"nickname":"two"}`, "If-Match", fmt.Sprintf(`"%d.9-x", `, caller.MemberID)+present).status)
	require.Equal(t, http.StatusOK, p.conditional(t, caller, http.MethodPatch, path, `{"nickname":"three"}`, "If-Match", "*").status)
	present = tag(t, p.do(t, caller, http.MethodGet, path, ""))
	require.Equal(t, http.StatusNoContent, p.conditional(t, caller, http.MethodDelete, path, "", "If-Match", present).status)
}

// patches sends changes at the same moment and returns their statuses.
func (p *process) patches(t *testing.T, caller authn.Principal, ifMatch string, bodies ...string) []int {
	t.Helper()
	var all sync.WaitGroup
	begin, statuses := make(chan struct{}), make([]int, len(bodies))
	for i, body := range bodies {
		request := p.request(t, p.sign(t, caller), http.MethodPatch, userPath(caller.MemberID), mediaType, body)
		if ifMatch != "" {
			request.Header.Set("If-Match", ifMatch)
		}
		all.Go(func() {
			<-begin
			got, err := answerTo(request)
			if err == nil {
				statuses[i] = got.status
			}
		})
	}
	close(begin)
	all.Wait()
	return statuses
}

func TestOfTwoPatchesOfOneVersionOneWinsAndWithoutAVersionBothSurvive(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, func(uint64) bool { return false })
	p := s.start(t)
	caller := p.signUp(t, "sungi@x.test")
	path := userPath(caller.MemberID)
	for round := range 5 {
		one, two := string(rune('a'+round))+"one", string(rune('a'+round))+"two"
		present := tag(t, p.do(t, caller, http.MethodGet, path, ""))
		statuses := p.patches(t, caller, present, fmt.Sprintf(`{"nickname":%q}`, one), fmt.Sprintf(`{"nickname":%q}`, two))
		require.ElementsMatch(t, []int{http.StatusOK, http.StatusPreconditionFailed}, statuses)
		won := one
		if statuses[1] == http.StatusOK {
			won = two
		}
		require.Equal(t, won, p.do(t, caller, http.MethodGet, path, "").object(t)["nickname"])

		phone := fmt.Sprintf("021234%d", round)
		require.Equal(t, []int{http.StatusOK, http.StatusOK},
			p.patches(t, caller, "", `{"nickname":"both"}`, fmt.Sprintf(`{"phone":%q}`, phone)))
		both := p.do(t, caller, http.MethodGet, path, "").object(t)
		require.Equal(t, []any{"both", phone}, []any{both["nickname"], both["phone"]})
	}
}
