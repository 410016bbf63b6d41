package system

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/fault"
)

func TestSignUpsWithTakenEmailsSlowDownTheirNetworkOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 1)
	attempt := func(client account.Client, email, key string) error {
		_, _, err := s.SignUp(t.Context(), client, account.NewMember{
			Email: email, Name: "Casey", Nickname: "casey", Phone: "0212345", Password: password,
		}, key)
		return err
	}
	for range 50 {
		require.Equal(t, account.ErrEmailTaken, attempt(attacker, "M1@x.test", ""))
	}
	events := s.events(t)
	last := events[len(events)-1]
	require.Equal(t, []any{audit.SignUp, audit.Failure, attacker.Address}, []any{last.Action, last.Outcome, last.Address})
	for _, key := range []string{"", "key"} {
		require.Equal(t, fault.NewTooManyRequests(time.Second), attempt(attacker, "m1@x.test", key))
	}
	require.NoError(t, attempt(attacker, "free@x.test", ""), "somebody else in that network")
	elsewhere := account.Client{Address: "192.0.2.1", UserAgent: "Curl/1"}
	require.Equal(t, account.ErrEmailTaken, attempt(elsewhere, "m1@x.test", ""))
	require.Zero(t, s.try(t, account.Client{Address: "192.0.2.9", UserAgent: "New/1"}, "m1@x.test", password),
		"the email's member waits for nothing")
	s.advance(time.Second)
	require.Equal(t, account.ErrEmailTaken, attempt(attacker, "m1@x.test", ""))
	require.Equal(t, fault.NewTooManyRequests(2*time.Second), attempt(attacker, "m1@x.test", ""))
}
