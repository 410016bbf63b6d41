package e2e

import (
	"crypto/rand"
	"crypto/sha512"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

// knoxTokens are tokens that a real drf-oms issued.
type knoxTokens struct {
	// Live are those that its database knew, with the digests there.
	Live []knoxToken
	// LoggedOut are those whose rows were gone.
	LoggedOut []string `json:"logged_out"`
}

type knoxToken struct{ Token, Digest string }

func readKnoxTokens(t *testing.T) knoxTokens {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "knox-tokens.json"))
	require.NoError(t, err)
	var tokens knoxTokens
	require.NoError(t, json.Unmarshal(content, &tokens))
	require.Len(t, tokens.Live, 25)
	require.Len(t, tokens.LoggedOut, 11)
	return tokens
}

// newKnoxToken makes a token as knox does.
func newKnoxToken() knoxToken {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	digest := sha512.Sum512(random)
	return knoxToken{hex.EncodeToString(random), hex.EncodeToString(digest[:])}
}

// accountsDatabase opens the schema of accounts on whichever server is the primary now, as the service's own user.
func accountsDatabase(t *testing.T) *sql.DB {
	t.Helper()
	return primary(t, "accounts_app", "mysql-accounts-app", "accounts")
}

// primary opens a schema on whichever server is the primary now.
func primary(t *testing.T, user, secret, schema string) *sql.DB {
	t.Helper()
	password, err := system.Secret(secret)
	require.NoError(t, err)
	for _, port := range []string{"PRIMARY_PORT", "REPLICA_PORT"} {
		config := mysql.NewConfig()
		config.Net, config.Addr, config.DBName = "tcp", system.Address(port), schema
		config.User, config.Passwd, config.ParseTime = user, password, true
		connector, err := mysql.NewConnector(config)
		require.NoError(t, err)
		db := sql.OpenDB(connector)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		var readOnly bool
		if db.QueryRowContext(t.Context(), "SELECT @@read_only").Scan(&readOnly) == nil && !readOnly {
			return db
		}
	}
	require.Fail(t, "no server takes writes")
	return nil
}

// importToken stores a token of drf-oms as the import does, with a session that expires with it in an hour. It returns the member with it.
func importToken(t *testing.T, db *sql.DB, of member, token knoxToken) member {
	t.Helper()
	digest, err := hex.DecodeString(token.Digest)
	require.NoError(t, err)
	created, expires := time.Now().UTC().Add(-time.Hour), time.Now().UTC().Add(time.Hour)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback() //nolint:errcheck // it is committed, or the test has failed
	_, err = tx.ExecContext(t.Context(), "SELECT id FROM members WHERE id = ? FOR UPDATE", of.id)
	require.NoError(t, err)
	session, err := tx.ExecContext(t.Context(),
		"INSERT INTO sessions (member_id, created_at, expires_at, token_expires_at) VALUES (?, ?, ?, ?)", of.id, created, expires, expires)
	require.NoError(t, err)
	id, err := session.LastInsertId()
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO knox_tokens (digest, session_id, expires_at) VALUES (?, ?, ?)", digest, id, expires)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	of.client = newClient().as(token.Token)
	return of
}

// endsSession says which routes end the session of who uses them for itself.
var endsSession = []string{"POST /auth/logout", "POST /auth/logoutall", "DELETE /accounts/users/:id"}

// requireWorks uses a token on every route that is not public, but for those that end its session, for its member's own things.
func requireWorks(t *testing.T, who, elsewhere member) {
	t.Helper()
	w := &world{
		ids: map[string]uint64{own: who.id}, orders: map[string]uint64{}, steps: map[string]uint64{},
		session: map[string]uint64{own: sessionOf(t, elsewhere.token)}, emails: map[uint64]string{who.id: who.email},
	}
	used := 0
	for _, route := range listedRoutes(t) {
		if route.Access == "public" || slices.Contains(endsSession, route.String()) {
			continue
		}
		want, target := route.wanted(t), none
		if route.namesOne() {
			target = own
		}
		w.orders[own] = orderOf(t, who)
		w.steps[own] = firstStep(t, who.token, w.orders[own])
		var body any
		if needed := bodies[route.String()]; needed != nil {
			body = needed(w, who.id)
		}
		got := who.do(t, route.Method, w.path(t, route, target), body)
		status := got.status
		if status/100 == done/100 {
			status = done
		}
		require.Equal(t, want[target][1], status, "%s: %s", route, got.text)
		used++
	}
	require.Greater(t, used, 12)
}

// currentSession finds the session of the token in the list of sessions.
func currentSession(t *testing.T, own member) uint64 {
	t.Helper()
	list := own.do(t, http.MethodGet, "/auth/sessions", nil)
	require.Equal(t, http.StatusOK, list.status, list.text)
	for _, session := range list.body["results"].([]any) {
		if session.(map[string]any)["current"] == true {
			return idOf(session)
		}
	}
	require.Fail(t, "the session of the token is not listed", list.text)
	return 0
}

// knoxEndings are all ways in which the session of a token ends before it expires. Each is asked of the second gateway.
func knoxEndings(t *testing.T, second gateway, admin member) map[string]func(own member) answer {
	t.Helper()
	at := func(c client) client {
		c.base = second.URL
		return c
	}
	loggedIn := func(own member) client {
		token, _, _ := login(t, own.email)
		return at(newClient().as(token))
	}
	path := func(own member) string { return fmt.Sprintf("/accounts/users/%d", own.id) }
	return map[string]func(own member) answer{
		"logout":        func(own member) answer { return at(own.client).do(t, http.MethodPost, "/auth/logout", nil) },
		"logout of all": func(own member) answer { return at(own.client).do(t, http.MethodPost, "/auth/logoutall", nil) },
		"logout of all from another session": func(own member) answer {
			return loggedIn(own).do(t, http.MethodPost, "/auth/logoutall", nil)
		},
		"its end from another session": func(own member) answer {
			return loggedIn(own).do(t, http.MethodDelete, fmt.Sprintf("/auth/sessions/%d", currentSession(t, own)), nil)
		},
		"a new password from another session": func(own member) answer {
			return loggedIn(own).do(t, http.MethodPatch, path(own), map[string]any{"password": "Another'pwd1", "current_password": password})
		},
		"the member's deletion": func(own member) answer { return at(own.client).do(t, http.MethodDelete, path(own), nil) },
		"the member's deactivation": func(own member) answer {
			return at(admin.client).do(t, http.MethodPatch, path(own), map[string]any{"is_active": false})
		},
	}
}

func TestATokenOfDRFOMSWorksOnEveryMemberRouteUntilItsLogoutAtAnotherGateway(t *testing.T) {
	tokens, db, second := readKnoxTokens(t), accountsDatabase(t), startGateway(t)
	endings := knoxEndings(t, second, newAdmin(t))
	names := slices.Sorted(maps.Keys(endings))
	var longest time.Duration
	for i, token := range tokens.Live {
		registered, name := signUp(t), names[i%len(names)]
		own := importToken(t, db, registered, token)
		requireWorks(t, own, registered)
		there := second.client(token.Token)
		require.Equal(t, http.StatusOK, there.do(t, http.MethodGet, "/orders/", nil).status)

		ended := endings[name](own)
		require.Equal(t, done/100, ended.status/100, "%s: %s", name, ended.text)
		since := time.Now()
		refused := there.do(t, http.MethodGet, "/orders/", nil)
		require.Equal(t, http.StatusUnauthorized, refused.status, "%s: at the gateway that was asked", name)
		require.Equal(t, "Invalid token.", refused.body["detail"])
		last := since
		for asked := since; own.do(t, http.MethodGet, "/orders/", nil).status != http.StatusUnauthorized; asked = time.Now() {
			last = asked
			require.Less(t, time.Since(since), patience, "%s: still accepted", name)
		}
		longest = max(longest, last.Sub(since))
		for range 3 {
			require.Equal(t, http.StatusUnauthorized, own.do(t, http.MethodGet, "/orders/", nil).status, name)
		}
	}
	t.Logf("%d tokens; accepted elsewhere for at most %s after their sessions ended", len(tokens.Live), longest)
	if logouts(t) >= longSuite {
		require.Less(t, longest, time.Second)
	}
	for _, token := range tokens.LoggedOut {
		for _, at := range []client{newClient().as(token), second.client(token)} {
			refused := at.do(t, http.MethodGet, "/orders/", nil)
			require.Equal(t, http.StatusUnauthorized, refused.status)
			require.Equal(t, "Invalid token.", refused.body["detail"])
		}
	}
}
