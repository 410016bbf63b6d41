package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

func TestOfManyGuessesAtTheSameMomentOnlyTheFreeOnesAreAnswered(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.Register(t, 1)
	guess := func(password string) error {
		_, err := s.LogIn(t.Context(), attacker, "m1@x.test", password)
		return err
	}
	answered := 0
	for _, err := range together(30, func(int) error { return guess(wrong) }) {
		if !fault.Is(err, fault.TooManyRequests) {
			require.Equal(t, credentials, err)
			answered++
		}
	}
	require.Equal(t, 5, answered)
	require.Equal(t, 5, s.number(t, "SELECT MIN(failures) FROM login_failures"))
	requireCode(t, fault.TooManyRequests, guess(password)) // it is refused like all others now
}

func TestKnownDevicesAreBoundedAndForgotten(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	for i := range account.MaxDevices + 5 {
		s.Advance(time.Second)
		_, err := s.LogIn(t.Context(), account.Client{Address: "192.0.2.1", UserAgent: fmt.Sprint(i)}, who.Email, password)
		require.NoError(t, err)
	}
	require.Equal(t, account.MaxDevices, s.number(t, "SELECT COUNT(*) FROM known_devices"))
	require.Equal(t, account.MaxDevices, s.number(t, "SELECT COUNT(*) FROM known_devices WHERE login_at > ?", who.CreatedAt.Add(5*time.Second)))
	removed, err := s.DeleteKnownDevices(t.Context(), s.Now(), 500)
	require.NoError(t, err)
	require.Equal(t, account.MaxDevices-1, removed)
	_, err = s.Delete(t.Context(), who.Principal, who.MemberID, nil)
	require.NoError(t, err)
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM known_devices"))
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM sessions WHERE address <> '' OR user_agent <> ''"))
}
