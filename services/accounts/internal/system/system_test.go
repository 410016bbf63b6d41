// Package system holds tests of the whole service below its ports: the domain, the store and the HTTP surface together on
// a real pair of database servers, with a clock that the tests move.
package system

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/accounts/internal/audit"
	"oms.internal/accounts/internal/store"
	"oms.internal/accounts/internal/token"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

const (
	patience        = 30 * time.Second
	tokenLifetime   = accounttest.TokenLifetime
	refreshLifetime = accounttest.RefreshLifetime
	password        = "Jhlee'spwd0"
	wrong           = "Wrong'pwd00"
)

// system is the service on a schema of its own.
type system struct {
	*account.Service
	*accounttest.Clock

	deps      account.Dependencies
	store     *store.Store
	cluster   *mysqlx.Cluster
	pair      *dbpair.Pair
	schema    dbpair.Schema
	root      *sql.DB // root on the primary, in the schema
	keys      *token.Keyring
	publisher *publisher
}

func newSystem(t *testing.T) *system {
	t.Helper()
	return serve(t, mysqlxtest.New(t, schemas.Accounts()))
}

// open starts another instance on a schema.
func open(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema) *system {
	t.Helper()
	return serve(t, mysqlxtest.Connect(t, pair, schema))
}

func serve(t *testing.T, d mysqlxtest.Database) *system {
	t.Helper()
	s := &system{
		Clock: accounttest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)), store: store.New(d.Cluster), cluster: d.Cluster,
		pair: d.Pair, schema: d.Schema, root: d.Root, keys: newKeyring(t), publisher: &publisher{},
	}
	keep, err := vault.New(strings.Repeat("s", vault.MinSecret))
	require.NoError(t, err)
	s.deps = accounttest.Dependencies(s.store, s.Clock)
	s.deps.Tokens, s.deps.Revocations, s.deps.Vault = token.NewIssuer(s.keys, "oms", "oms"), s.publisher, keep
	s.Service = account.NewService(s.deps)
	return s
}

func newKeyring(t *testing.T) *token.Keyring {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	content := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.pem"), content, 0o600))
	keys, err := token.LoadKeyring(t.Context(), dir)
	require.NoError(t, err)
	return keys
}

type publisher struct {
	mutex     sync.Mutex
	published []account.Revocation
}

func (p *publisher) Publish(_ context.Context, revocations []account.Revocation) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.published = append(p.published, revocations...)
}

var browser = account.Client{Address: "203.0.113.7", UserAgent: "Browser/1"}

// member is somebody who signed up, with the grant of that.
type member struct {
	account.Member
	grant account.Grant
	authn.Principal
}

// signUp makes a member called n.
func (s *system) signUp(t *testing.T, n int) member {
	t.Helper()
	login, _, err := s.SignUp(t.Context(), browser, account.NewMember{
		Email: fmt.Sprintf("m%d@x.test", n), Name: "Casey", Nickname: "casey", Phone: "0212345", Password: password,
	}, "")
	require.NoError(t, err)
	return s.principal(t, login)
}

// admin makes a member with the admin right.
func (s *system) admin(t *testing.T, n int) member {
	t.Helper()
	admin := s.signUp(t, n)
	s.exec(t, "UPDATE members SET is_admin = TRUE WHERE id = ?", admin.MemberID)
	admin.Principal.Admin = true
	return admin
}

func (s *system) principal(t *testing.T, login account.Login) member {
	t.Helper()
	id := login.View.Member.ID
	return member{Member: login.View.Member, grant: login.Grant, Principal: authn.Principal{
		MemberID: id, SessionID: uint64(s.number(t, "SELECT MAX(id) FROM sessions WHERE member_id = ?", id)),
		Admin: login.View.Member.Admin, Address: browser.Address,
	}}
}

// again logs the member in once more, from the same browser.
func (s *system) again(t *testing.T, of member) member {
	t.Helper()
	login, err := s.LogIn(t.Context(), browser, of.Email, password)
	require.NoError(t, err)
	return s.principal(t, login)
}

func (s *system) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := s.root.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

func (s *system) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	var value int
	require.NoError(t, s.root.QueryRowContext(t.Context(), query, args...).Scan(&value), query)
	return value
}

// everything is all revocations from the beginning.
func (s *system) everything(t *testing.T) []account.Revocation {
	t.Helper()
	revocations, _, err := s.Revoked(t.Context(), 0, 5000)
	require.NoError(t, err)
	return revocations
}

// events are the actions and outcomes of all events so far, the oldest first.
func (s *system) events(t *testing.T) []audit.Event {
	t.Helper()
	page, err := s.store.AuditEvents(t.Context(), listing.Request{Limit: 500})
	require.NoError(t, err)
	slices.Reverse(page.Values)
	return page.Values
}

func requireCode(t *testing.T, want fault.Code, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.True(t, fault.Is(err, want), "want %s, got %v", want, err)
}

// together runs work n times at the same moment.
func together(n int, work func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			work(i)
		})
	}
	close(begin)
	all.Wait()
}
