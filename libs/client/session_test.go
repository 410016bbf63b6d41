package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

const isToken2 = "Token token 2"

// refreshTokenOf reads what a refresh shows.
func refreshTokenOf(t *testing.T, r *http.Request) string {
	t.Helper()
	var shown api.RefreshRequest
	if err := json.NewDecoder(r.Body).Decode(&shown); err != nil {
		t.Errorf("the refresh: %v", err)
	}
	return shown.RefreshToken
}

func TestManyWhoseTokenExpiresAtOnceShareOneRefresh(t *testing.T) {
	t.Parallel()
	const callers = 100
	var refreshes, expired atomic.Int64
	allAsked := make(chan struct{})
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/auth/refresh":
			refreshes.Add(1)
			if shown := refreshTokenOf(t, r); shown != "refresh 1" {
				t.Errorf("the refresh shows %q", shown)
			}
			send(w, "application/json", http.StatusOK, grant(2))
		case r.Header.Get("Authorization") == isToken2:
			send(w, "application/json", http.StatusOK, anOrder(12))
		default:
			if expired.Add(1) == callers {
				close(allAsked)
			}
			<-allAsked
			refuse(http.StatusUnauthorized, fault.Unauthenticated, 0)(w, r)
		}
	})
	var group sync.WaitGroup
	failures := make([]error, callers)
	for i := range failures {
		group.Go(func() { _, failures[i] = c.GetOrder(t.Context(), 12, nil) })
	}
	group.Wait()
	for _, failure := range failures {
		require.NoError(t, failure)
	}
	require.EqualValues(t, 1, refreshes.Load())
	require.EqualValues(t, callers, expired.Load())
	kept, ok := c.Grant()
	require.True(t, ok)
	require.Equal(t, "refresh 2", kept.RefreshToken)
}

func TestARefreshWhoseAnswerIsLostIsSentAgainWithTheSameToken(t *testing.T) {
	t.Parallel()
	var shown seen[string]
	answerRefresh := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			shown.add(r.URL.Path + " " + refreshTokenOf(t, r))
			answer(w, r)
		}
	}
	c, _ := gateway(t, client.Options{}, script(t,
		refuse(http.StatusUnauthorized, fault.Unauthenticated, 0),
		answerRefresh(lose),
		answerRefresh(refuse(http.StatusServiceUnavailable, fault.OutcomeUnknown, 1)),
		answerRefresh(refuse(http.StatusGatewayTimeout, fault.Timeout, 0)),
		answerRefresh(answerWith(grant(2))),
		answerWith(anOrder(12)),
	))
	_, err := c.GetOrder(t.Context(), 12, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"/auth/refresh refresh 1", "/auth/refresh refresh 1", "/auth/refresh refresh 1", "/auth/refresh refresh 1"}, shown.all())
}

func TestTokensAreKeptWhenARefreshFailsAndTriedWithTheNextCall(t *testing.T) {
	t.Parallel()
	expired := refuse(http.StatusUnauthorized, fault.Unauthenticated, 0)
	c, _ := gateway(t, client.Options{Attempts: 2}, script(t,
		expired, lose, lose, // first call
		expired, answerWith(grant(2)), answerWith(anOrder(12)), // second
	))
	_, err := c.GetOrder(t.Context(), 12, nil)
	require.Error(t, err)
	_, err = c.GetOrder(t.Context(), 12, nil)
	require.NoError(t, err)
}

func TestARefusedRefreshTokenIsNotShownAgain(t *testing.T) {
	t.Parallel()
	expired := refuse(http.StatusUnauthorized, fault.Unauthenticated, 0)
	var paths seen[string]
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		paths.add(r.URL.Path)
		expired(w, r)
	})
	for range 2 {
		_, err := c.GetOrder(t.Context(), 12, nil)
		require.Equal(t, fault.Unauthenticated, refused(t, err).Code)
	}
	require.Equal(t, []string{"/orders/12", "/auth/refresh", "/orders/12"}, paths.all())
}

func TestARefreshGoesOnForOthersWhenWhoBeganItGivesUp(t *testing.T) {
	t.Parallel()
	asked, goOn := make(chan struct{}), make(chan struct{})
	var refreshes atomic.Int64
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/auth/refresh":
			if refreshes.Add(1) == 1 {
				close(asked)
			}
			<-goOn
			send(w, "application/json", http.StatusOK, grant(2))
		case r.Header.Get("Authorization") == isToken2:
			send(w, "application/json", http.StatusOK, anOrder(12))
		default:
			refuse(http.StatusUnauthorized, fault.Unauthenticated, 0)(w, r)
		}
	})
	impatient, giveUp := context.WithCancel(t.Context())
	given, taken := make(chan error, 1), make(chan error, 1)
	go func() { given <- c.Refresh(impatient) }()
	<-asked
	go func() { taken <- second(c.GetOrder(t.Context(), 12, nil)) }()
	giveUp()
	require.ErrorIs(t, <-given, context.Canceled)
	close(goOn)
	require.NoError(t, <-taken)
	require.EqualValues(t, 1, refreshes.Load())
}

func TestASignUpOrALoginBeginsTheSession(t *testing.T) {
	t.Parallel()
	login := grant(2)
	login["user"] = map[string]any{"id": 7, "email": "sungi@example.com", "name": "김선기", "nickname": "sungi", "phone": "01083574364"}
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/orders/12" {
			if r.Header.Get("Authorization") != isToken2 {
				t.Errorf("the call shows %q", r.Header.Get("Authorization"))
			}
			send(w, "application/json", http.StatusOK, anOrder(12))
			return
		}
		if r.Header.Get("Authorization") != "" {
			t.Error("what begins a session shows a token")
		}
		send(w, "application/json", http.StatusOK, login)
	}
	for name, begin := range map[string]func(*client.Client) (*client.Member, error){
		"sign-up": func(c *client.Client) (*client.Member, error) {
			return c.SignUp(t.Context(), api.NewMember{Email: "sungi@example.com"}, nil)
		},
		"login": func(c *client.Client) (*client.Member, error) {
			return c.LogIn(t.Context(), api.Credentials{Email: "sungi@example.com"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := gateway(t, client.Options{}, answer)
			member, err := begin(c)
			require.NoError(t, err)
			require.EqualValues(t, 7, member.ID)
			_, err = c.GetOrder(t.Context(), 12, nil)
			require.NoError(t, err)
		})
	}
}

func TestALogoutEndsTheSessionAlsoWhereItIsOver(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string][]http.HandlerFunc{
		"done": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }},
		"over": {refuse(http.StatusUnauthorized, fault.Unauthenticated, 0), refuse(http.StatusUnauthorized, fault.Unauthenticated, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := gateway(t, client.Options{}, script(t, answers...))
			require.NoError(t, c.LogOut(t.Context()))
			_, ok := c.Grant()
			require.False(t, ok)
			require.Equal(t, fault.Unauthenticated, refused(t, c.Refresh(t.Context())).Code)
		})
	}
}
