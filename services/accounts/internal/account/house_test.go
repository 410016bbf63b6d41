package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// house is a service whose store remembers what happens over many requests, with a clock that the test moves.
type house struct {
	*account.Service
	*accounttest.Clock
	deps      account.Dependencies
	store     *accounttest.Store
	published publisher
}

func newHouse() *house {
	h := &house{Clock: accounttest.NewClock(noonish), store: accounttest.NewStore()}
	h.deps = accounttest.Dependencies(h.store, h.Clock)
	h.deps.Vault, h.deps.Revocations = &vault{}, &h.published
	h.Service = account.NewService(h.deps)
	return h
}

// inhabitant is somebody who signed up, with the grant of that.
type inhabitant struct {
	account.Member
	grant account.Grant
	authn.Principal
}

// signUp makes a member called n.
func (h *house) signUp(t *testing.T, n int) inhabitant {
	t.Helper()
	login, _, err := h.SignUp(t.Context(), browser, account.NewMember{
		Email: fmt.Sprintf("m%d@x.test", n), Name: "Casey", Nickname: "casey", Phone: "0212345", Password: password,
	}, "")
	require.NoError(t, err)
	return h.principal(t, login)
}

func (h *house) principal(t *testing.T, login account.Login) inhabitant {
	t.Helper()
	memberID, sessionID, err := accounttest.SessionOf(login.Token)
	require.NoError(t, err)
	return inhabitant{Member: login.View.Member, grant: login.Grant, Principal: authn.Principal{
		MemberID: memberID, SessionID: sessionID, Admin: login.View.Member.Admin, Address: browser.Address,
	}}
}

// admin makes a member with the admin right.
func (h *house) admin(t *testing.T, n int) inhabitant {
	t.Helper()
	admin := h.signUp(t, n)
	h.store.Alter(admin.MemberID, func(member *account.Member) { member.Admin = true })
	admin.Principal.Admin = true
	return admin
}

// demote and deactivate are what an admin may do to a member.
func demote(member *account.Member)     { member.Admin = false }
func deactivate(member *account.Member) { member.Active = false }

const wrong = "Wrong'pwd00"

var (
	attacker     = account.Client{Address: "198.51.100.1", UserAgent: "Curl/1"}
	credentials  = fault.InvalidField("non_field_errors", "Incorrect Credentials")
	invalidToken = fault.New(fault.Unauthenticated, "Invalid token.", nil).WithHeader("WWW-Authenticate", "Token")
)

// try logs in and returns how long the client is asked to wait; -1 says that the password was looked at and refused.
func (h *house) try(t *testing.T, client account.Client, email, password string) time.Duration {
	t.Helper()
	_, err := h.LogIn(t.Context(), client, email, password)
	switch {
	case fault.Is(err, fault.TooManyRequests):
		return fault.Of(err).RetryAfter
	case err != nil:
		require.Equal(t, credentials, err)
		return -1
	}
	return 0
}

// revocations is everything that was revoked so far.
func (h *house) revocations(t *testing.T) []account.Revocation {
	t.Helper()
	revocations, _, err := h.Revoked(t.Context(), 0, 5000)
	require.NoError(t, err)
	return revocations
}
