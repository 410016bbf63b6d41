package store_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/audit"
	"oms.internal/libs/listing"
)

// serving is the service on a store, with a clock that the test moves. It shows what rules and transactions guarantee together.
type serving struct {
	fixture
	*accounttest.World
	*account.Service // before the store's methods of the same names
}

func newService(t *testing.T) *serving {
	t.Helper()
	return serve(newStore(t))
}

func serve(f fixture) *serving {
	clock := accounttest.NewClock(now)
	world := accounttest.NewWorld(clock, accounttest.Dependencies(f.Store, clock))
	return &serving{f, world, world.Service}
}

const (
	password = accounttest.Password
	wrong    = accounttest.Wrong
)

var (
	browser     = accounttest.Browser
	attacker    = accounttest.Attacker
	credentials = accounttest.ErrCredentials
)

type registered = accounttest.Registered

// registerAdmin makes a member with the admin right.
func (s *serving) registerAdmin(t *testing.T, n int) registered {
	t.Helper()
	admin := s.Register(t, n)
	s.exec(t, "UPDATE members SET is_admin = TRUE WHERE id = ?", admin.MemberID)
	admin.Principal.Admin = true
	return admin
}

// refuse tries a login with a wrong password or an unknown email.
func (s *serving) refuse(t *testing.T, client account.Client, email, password string) {
	t.Helper()
	_, err := s.LogIn(t.Context(), client, email, password)
	require.Equal(t, credentials, err)
}

// events are all events so far, the oldest first.
func (s *serving) events(t *testing.T) []audit.Event {
	t.Helper()
	page, err := s.Store.AuditEvents(latest(t), listing.Request{Limit: 500})
	require.NoError(t, err)
	slices.Reverse(page.Values)
	return page.Values
}
