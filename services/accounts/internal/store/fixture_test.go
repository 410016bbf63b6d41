package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/audit"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// fixture is a store on a schema of its own in a real pair.
type fixture struct {
	*store.Store
	mysqlxtest.Database

	db *sql.DB // the service's user on the primary, past the store
}

func newStore(t *testing.T) fixture {
	t.Helper()
	return on(t, mysqlxtest.New(t, schemas.Accounts()))
}

// on returns another store on a schema.
func on(t *testing.T, d mysqlxtest.Database) fixture {
	t.Helper()
	db, err := d.Pair.Primary.Open(d.Schema.App.User, d.Schema.App.Password, d.Schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return fixture{Store: store.New(d.Cluster, time.Now), Database: d, db: db}
}

// number returns what a query with one number as its result yields.
func (f fixture) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	var value int
	require.NoError(t, f.db.QueryRowContext(t.Context(), query, args...).Scan(&value), query)
	return value
}

// exec executes a statement as root.
func (f fixture) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := f.Root.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

func (f fixture) rows(t *testing.T) (members, sessions int) {
	t.Helper()
	return f.number(t, "SELECT COUNT(*) FROM members"), f.number(t, "SELECT COUNT(*) FROM sessions")
}

var (
	now   = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	later = now.Add(10 * time.Hour)
	until = later.Add(account.RevocationMargin)
)

var (
	sungi = account.Member{
		Email: "Sungi@X.test", Name: "김선기", Nickname: "sungi", Phone: "01083574364", Gender: "M",
		PasswordHash: "hash of sungi", Active: true, CreatedAt: now,
	}
	dream = account.Member{
		Email: "dream@x.test", Name: "이은겸", Nickname: "dream", Phone: "01083574363",
		PasswordHash: "hash of dream", Active: true, CreatedAt: now,
	}
)

// loginRecord is what is kept with a session; its refresh token is a new one each time.
func loginRecord() account.LoginRecord {
	token := account.RefreshToken{Salt: make([]byte, 32), ExpiresAt: later}
	_, _ = rand.Read(token.Hash[:]) // it never fails
	return account.LoginRecord{Refresh: token, Event: audit.Event{At: now, Action: audit.Login, Outcome: audit.Success}}
}

// rehashing is what is kept with a session of a member whose password is hashed anew.
func rehashing(hash string) account.LoginRecord {
	with := loginRecord()
	with.Rehashed = hash
	return with
}

// ending is the end of sessions at now, whose last access token expires later.
func ending() account.Ending {
	return account.Ending{At: now, Until: until, Events: []audit.Event{{At: now, Action: audit.LogoutAll, Outcome: audit.Success}}}
}

// create stores a member and its first session.
func (f fixture) create(t *testing.T, member account.Member) (account.Member, account.Session) {
	t.Helper()
	var session account.Session
	kept, err := f.CreateMember(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), account.IdempotentRequest{
		Answer: func(stored account.Member, opened account.Session) ([]byte, error) {
			member, session = stored, opened
			return nil, nil
		},
	})
	require.NoError(t, err)
	require.Nil(t, kept)
	require.NotZero(t, member.ID)
	require.Equal(t, uint64(1), member.Version)
	require.Equal(t, account.Session{ID: session.ID, MemberID: member.ID, CreatedAt: now, ExpiresAt: later}, session)
	return member, session
}

// signUp stores a member and its first session, and keeps nothing of them.
func (f fixture) signUp(t *testing.T, member account.Member) error {
	t.Helper()
	_, err := f.CreateMember(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), answering(""))
	return err
}

// answering is a request with a key, of which the text "answer" is kept.
func answering(key string) account.IdempotentRequest {
	return account.IdempotentRequest{Key: key, At: now, Answer: func(account.Member, account.Session) ([]byte, error) {
		return []byte("answer"), nil
	}}
}

// anyVersion allows every member to be deleted.
func anyVersion(account.Member) error { return nil }

// logIn stores another session.
func (f fixture) logIn(t *testing.T, member account.Member, expires time.Time) account.Session {
	t.Helper()
	_, session, err := f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: expires}, loginRecord())
	require.NoError(t, err)
	return session
}

// get reads a member on the primary.
func (f fixture) get(t *testing.T, id uint64) account.Member {
	t.Helper()
	member, err := f.LatestMember(t.Context(), id)
	require.NoError(t, err)
	return member
}

// latest is the context of a reader who must see everything.
func latest(t *testing.T) context.Context { return consistency.Into(t.Context(), consistency.Newest) }

func requireCode(t *testing.T, want fault.Code, err error) {
	t.Helper()
	require.True(t, fault.Is(err, want), "want %s, got %v", want, err)
}

// is matches one value.
func is(field string, value any) listing.Match {
	return listing.Match{Field: field, Op: listing.Is, Values: []any{value}}
}

// queueing is how long a busy machine may take for writes to the same row.
const queueing = 2 * time.Minute

// together runs work n times at the same moment and returns the errors in order. On a busy machine, those that queue for the same row wait
// for longer than a statement may. That has written nothing, and is done again, but not for ever: what always waits too long is a fault.
func together(n int, work func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	begin, end := make(chan struct{}), time.Now().Add(queueing)
	for i := range n {
		all.Go(func() {
			<-begin
			for errs[i] = work(i); mysqlx.IsLockTimeout(errs[i]) && time.Now().Before(end); {
				errs[i] = work(i)
			}
		})
	}
	close(begin)
	all.Wait()
	return errs
}
