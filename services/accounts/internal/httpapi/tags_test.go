package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
)

func tag(t *testing.T, got answer) string {
	t.Helper()
	require.Regexp(t, `^"\d+\.\d+-[A-Za-z0-9_-]{22}"$`, got.header.Get("Etag"), "%s", got.body)
	return got.header.Get("Etag")
}

func TestAMemberBearsTheTagOfItsVersion(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	created := a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"))
	require.Regexp(t, `^"\d+\.1-`, tag(t, created))
	caller := principal(t, created)
	path := userPath(caller.MemberID)
	first := tag(t, a.ask(t, caller, http.MethodGet, path, ""))
	require.Regexp(t, `^"\d+\.1-`, first)
	for _, held := range []string{first, "W/" + first, `"other", ` + first, "*"} {
		same := a.ask(t, caller, http.MethodGet, path, "", "If-None-Match", held)
		require.Equal(t, http.StatusNotModified, same.status, held)
		require.Empty(t, same.body)
		require.Equal(t, first, same.header.Get("Etag"))
	}
	patched := tag(t, a.ask(t, caller, http.MethodPatch, path, `{"nickname":"other"}`))
	require.Regexp(t, `^"\d+\.2-`, patched)
	require.Equal(t, patched, tag(t, a.ask(t, caller, http.MethodPatch, path, `{"nickname":"other"}`)), "nothing was changed")
	require.Equal(t, http.StatusOK, a.ask(t, caller, http.MethodGet, path, "", "If-None-Match", first).status)
	put := a.ask(t, caller, http.MethodPut, path, signUpBody("sungi@x.test"))
	require.Equal(t, http.StatusOK, put.status, "%s", put.body)
	require.Regexp(t, `^"\d+\.3-`, tag(t, put))
	masked := a.ask(t, authn.Principal{MemberID: 1 << 40, SessionID: 1}, http.MethodGet, path, "")
	require.NotEqual(t, tag(t, put), tag(t, masked), "who sees less sees something else")

	require.Equal(t, http.StatusOK, a.logIn(t, "sungi@x.test").status)
	require.Equal(t, put.header.Get("Etag"), tag(t, a.ask(t, caller, http.MethodGet, path, "")), "a login changes no member")
}

func TestTheTagOfAMemberTellsOthersOfWhatTheySeeOnly(t *testing.T) {
	t.Parallel()
	for directory, shown := range map[account.Directory]map[string]bool{
		account.DirectoryMasked: {"name": true},
		account.DirectoryOpen:   {"name": true, "gender": true},
	} {
		a := newAPIWith(t, directory)
		of, other := a.signUp(t, "sungi@x.test"), a.signUp(t, "other@x.test")
		look := func(held string) answer {
			return a.ask(t, other, http.MethodGet, userPath(of.MemberID), "", "If-None-Match", held)
		}
		last := tag(t, look(`"none"`))
		for name, change := range map[string]func(*account.Member){
			"name":     func(m *account.Member) { m.Name = "Another" },
			"gender":   func(m *account.Member) { m.Gender = "F" },
			"password": func(m *account.Member) { m.PasswordHash = "another" },
			"right":    func(m *account.Member) { m.Admin = true },
			"state":    func(m *account.Member) { m.Active = false },
		} {
			a.store.Alter(of.MemberID, func(m *account.Member) { change(m); m.Version++ })
			got := look(last)
			require.Equal(t, shown[name], got.status == http.StatusOK, "%s: %s", directory, name)
			require.Equal(t, shown[name], tag(t, got) != last, "%s: %s", directory, name)
			last = tag(t, got)
		}
	}
}

func TestAChangeOfAnotherVersionThanTheClientSawIsRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	created := a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"))
	caller, stale := principal(t, created), tag(t, created)
	path := userPath(caller.MemberID)
	require.Equal(t, http.StatusOK, a.ask(t, caller, http.MethodPatch, path, `{"nickname":"one"}`, "If-Match", stale).status)
	before := a.store.Writes()
	for _, test := range []struct{ method, body string }{
		{http.MethodPatch, `{"nickname":"two"}`}, {http.MethodPut, signUpBody("sungi@x.test")}, {http.MethodDelete, ""},
	} {
		for value, want := range map[string]int{
			stale: http.StatusPreconditionFailed, fmt.Sprintf(`"%d.9-x"`, caller.MemberID): http.StatusPreconditionFailed,
			fmt.Sprintf(`"%d.2-x"`, caller.MemberID+1): http.StatusPreconditionFailed, "2": http.StatusBadRequest,
		} {
			got := a.ask(t, caller, test.method, path, test.body, "If-Match", value)
			require.Equal(t, want, got.status, "%s %s: %s", test.method, value, got.body)
			got.problem(t)
		}
	}
	require.Equal(t, before, a.store.Writes())
	// Who may not change the member hears that first.
	other := a.signUp(t, "other@x.test")
	require.Equal(t, http.StatusForbidden, a.ask(t, other, http.MethodDelete, path, "", "If-Match", stale).status)

	present := tag(t, a.ask(t, caller, http.MethodGet, path, ""))
	require.Equal(t, http.StatusOK, a.ask(t, caller, http.MethodPatch, path, `{"nickname":"two"}`, "If-Match", fmt.Sprintf(`"%d.9-x", `, caller.MemberID)+present).status)
	require.Equal(t, http.StatusOK, a.ask(t, caller, http.MethodPatch, path, `{"nickname":"three"}`, "If-Match", "*").status)
	present = tag(t, a.ask(t, caller, http.MethodGet, path, ""))
	require.Equal(t, http.StatusNoContent, a.ask(t, caller, http.MethodDelete, path, "", "If-Match", present).status)
}
