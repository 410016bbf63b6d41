package system

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

var (
	attacker    = account.Client{Address: "198.51.100.1", UserAgent: "Curl/1"}
	credentials = fault.InvalidField("non_field_errors", "Incorrect Credentials")
)

// try logs in and returns how long the client is asked to wait; -1 says that the password was looked at and refused.
func (s *system) try(t *testing.T, client account.Client, email, password string) time.Duration {
	t.Helper()
	_, err := s.LogIn(t.Context(), client, email, password)
	switch {
	case fault.Is(err, fault.TooManyRequests):
		return fault.Of(err).RetryAfter
	case err != nil:
		require.Equal(t, credentials, err)
		return -1
	}
	return 0
}

func TestOfManyGuessesAtTheSameMomentOnlyTheFreeOnesAreAnswered(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 1)
	const guesses = 30
	var waits [guesses]time.Duration
	together(guesses, func(i int) { waits[i] = s.try(t, attacker, "m1@x.test", wrong) })
	answered := 0
	for _, wait := range waits {
		if wait < 0 {
			answered++
		}
	}
	require.Equal(t, 5, answered)
	require.Equal(t, 5, s.number(t, "SELECT MIN(failures) FROM login_failures"))
	require.Positive(t, s.try(t, attacker, "m1@x.test", password), "the right password is refused like all others now")
}

// meanwhile is account.Passwords that lets something happen while a password is looked at.
type meanwhile struct {
	account.Passwords
	happens func()
}

func (m meanwhile) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	m.happens()
	return m.Passwords.Verify(ctx, hash, password)
}

func TestKnownDevicesAreBoundedAndForgotten(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	for i := range account.MaxDevices + 5 {
		s.Advance(time.Second)
		require.Zero(t, s.try(t, account.Client{Address: "192.0.2.1", UserAgent: fmt.Sprint(i)}, who.Email, password))
	}
	require.Equal(t, account.MaxDevices, s.number(t, "SELECT COUNT(*) FROM known_devices"))
	require.Equal(t, account.MaxDevices, s.number(t, "SELECT COUNT(*) FROM known_devices WHERE login_at > ?", who.CreatedAt.Add(5*time.Second)))
	removed, err := s.store.DeleteKnownDevices(t.Context(), s.Now(), 500)
	require.NoError(t, err)
	require.Equal(t, account.MaxDevices-1, removed)
	_, err = s.Delete(t.Context(), who.Principal, who.MemberID, nil)
	require.NoError(t, err)
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM known_devices"))
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM sessions WHERE address <> '' OR user_agent <> ''"))
}
