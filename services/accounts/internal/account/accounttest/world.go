package accounttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// Password is that of everybody who signs up, and Wrong another one.
const (
	Password = "Jhlee'spwd0" //nolint:gosec // nobody has it
	Wrong    = "Wrong'pwd00"
)

// Browser is the client with which members sign up, and Attacker another one. ErrCredentials is what a refused login hears.
var (
	Browser        = account.Client{Address: "203.0.113.7", UserAgent: "Browser/1"}
	Attacker       = account.Client{Address: "198.51.100.1", UserAgent: "Curl/1"}
	ErrCredentials = fault.InvalidField("non_field_errors", "Incorrect Credentials")
)

// World is a service with a clock that the test moves.
type World struct {
	*account.Service
	*Clock

	mutex     sync.Mutex
	published []account.Revocation
}

// NewWorld returns a world of the dependencies, in which it hears of revocations itself.
func NewWorld(clock *Clock, deps account.Dependencies) *World {
	w := &World{Clock: clock}
	deps.Revocations = w
	w.Service = account.NewService(deps)
	return w
}

// Publish notes what gateways are told.
func (w *World) Publish(_ context.Context, revocations []account.Revocation) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.published = append(w.published, revocations...)
}

// Published returns what gateways were told.
func (w *World) Published() []account.Revocation {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.published)
}

// Registered is somebody who signed up or logged in.
type Registered struct {
	account.Member
	account.Grant
	authn.Principal
}

// RegisteredBy returns whom an answer lets in, as the gateway sees it.
func RegisteredBy(t *testing.T, login account.Login) Registered {
	t.Helper()
	memberID, sessionID, err := SessionOf(login.Token)
	require.NoError(t, err)
	return Registered{login.View.Member, login.Grant, authn.Principal{
		MemberID: memberID, SessionID: sessionID, Admin: login.View.Member.Admin, Address: Browser.Address,
	}}
}

// Register signs up a member called n.
func (w *World) Register(t *testing.T, n int) Registered {
	t.Helper()
	login, _, err := w.SignUp(t.Context(), Browser, account.NewMember{
		Email: fmt.Sprintf("m%d@x.test", n), Name: "Casey", Nickname: "casey", Phone: "0212345", Password: Password,
	}, "")
	require.NoError(t, err)
	return RegisteredBy(t, login)
}

// Again logs the member in once more, from the same browser.
func (w *World) Again(t *testing.T, of Registered) Registered {
	t.Helper()
	login, err := w.LogIn(t.Context(), Browser, of.Email, Password)
	require.NoError(t, err)
	return RegisteredBy(t, login)
}

// Everything returns all revocations from the beginning that are still valid.
func (w *World) Everything(t *testing.T) []account.Revocation {
	t.Helper()
	revocations, _, err := w.Revoked(t.Context(), 0, 5000)
	require.NoError(t, err)
	return revocations
}
