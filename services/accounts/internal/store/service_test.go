package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// serving is the service on a store, with a clock that the test moves. It shows what rules and transactions guarantee together.
type serving struct {
	fixture
	*account.Service
	*accounttest.Clock
	mutex     sync.Mutex
	published []account.Revocation
}

func newService(t *testing.T) *serving {
	t.Helper()
	return serve(newStore(t))
}

func serve(f fixture) *serving {
	s := &serving{fixture: f, Clock: accounttest.NewClock(now)}
	s.Service = account.NewService(s.deps())
	return s
}

func (s *serving) deps() account.Dependencies {
	deps := accounttest.Dependencies(s.Store, s.Clock)
	deps.Revocations = s
	return deps
}

// Publish notes what gateways are told.
func (s *serving) Publish(_ context.Context, revocations []account.Revocation) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.published = append(s.published, revocations...)
}

const (
	password = "Jhlee'spwd0"
	wrong    = "Wrong'pwd00"
)

var (
	browser     = account.Client{Address: "203.0.113.7", UserAgent: "Browser/1"}
	attacker    = account.Client{Address: "198.51.100.1", UserAgent: "Curl/1"}
	credentials = fault.InvalidField("non_field_errors", "Incorrect Credentials")
)

// registered is somebody who signed up, with the grant of that.
type registered struct {
	account.Member
	grant account.Grant
	authn.Principal
}

// register makes a member called n.
func (s *serving) register(t *testing.T, n int) registered {
	t.Helper()
	login, _, err := s.SignUp(t.Context(), browser, account.NewMember{
		Email: fmt.Sprintf("m%d@x.test", n), Name: "Casey", Nickname: "casey", Phone: "0212345", Password: password,
	}, "")
	require.NoError(t, err)
	return callerOf(t, login)
}

// registerAdmin makes a member with the admin right.
func (s *serving) registerAdmin(t *testing.T, n int) registered {
	t.Helper()
	admin := s.register(t, n)
	s.exec(t, "UPDATE members SET is_admin = TRUE WHERE id = ?", admin.MemberID)
	admin.Principal.Admin = true
	return admin
}

func callerOf(t *testing.T, login account.Login) registered {
	t.Helper()
	memberID, sessionID, err := accounttest.SessionOf(login.Token)
	require.NoError(t, err)
	return registered{Member: login.View.Member, grant: login.Grant, Principal: authn.Principal{
		MemberID: memberID, SessionID: sessionID, Admin: login.View.Member.Admin, Address: browser.Address,
	}}
}

// again logs the member in once more, from the same browser.
func (s *serving) again(t *testing.T, of registered) registered {
	t.Helper()
	login, err := s.LogIn(t.Context(), browser, of.Email, password)
	require.NoError(t, err)
	return callerOf(t, login)
}

// refuse tries a login with a wrong password or an unknown email.
func (s *serving) refuse(t *testing.T, client account.Client, email, password string) {
	t.Helper()
	_, err := s.LogIn(t.Context(), client, email, password)
	require.Equal(t, credentials, err)
}

// everything is all revocations from the beginning.
func (s *serving) everything(t *testing.T) []account.Revocation {
	t.Helper()
	revocations, _, err := s.Revoked(t.Context(), 0, 5000)
	require.NoError(t, err)
	return revocations
}

// events are all events so far, the oldest first.
func (s *serving) events(t *testing.T) []audit.Event {
	t.Helper()
	page, err := s.Store.AuditEvents(latest(t), listing.Request{Limit: 500})
	require.NoError(t, err)
	slices.Reverse(page.Values)
	return page.Values
}
