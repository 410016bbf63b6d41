package account_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

const (
	lifetime        = accounttest.TokenLifetime
	refreshLifetime = accounttest.RefreshLifetime
	password        = accounttest.Password
	wrong           = accounttest.Wrong
)

var (
	browser      = accounttest.Browser
	attacker     = accounttest.Attacker
	credentials  = accounttest.ErrCredentials
	invalidToken = fault.New(fault.Unauthenticated, "Invalid token.", nil).WithHeader("WWW-Authenticate", "Token")
	errBroken    = errors.New("broken")
)

// world is the service on fakes.
type world struct {
	*accounttest.World
	deps      account.Dependencies
	store     *watched
	passwords *watchedPasswords
	orders    *watchedOrders
	paused    []time.Duration
}

func newWorld() *world {
	clock := accounttest.NewClock(noon)
	w := &world{store: &watched{Store: accounttest.NewStore()}, passwords: &watchedPasswords{}, orders: &watchedOrders{}}
	w.deps = accounttest.Dependencies(w.store, clock)
	w.deps.Passwords, w.deps.Orders = w.passwords, w.orders
	w.deps.Pause = func(_ context.Context, while time.Duration) { w.paused = append(w.paused, while) }
	w.World = accounttest.NewWorld(clock, w.deps)
	return w
}

const idA, idB, idAdmin = 101, 102, 103

var (
	callerA     = authn.Principal{MemberID: idA, SessionID: 201}
	callerB     = authn.Principal{MemberID: idB, SessionID: 202}
	callerAdmin = authn.Principal{MemberID: idAdmin, SessionID: 203, Admin: true}
	orderOfA    = account.Order{ID: 9, CustomerID: idA, OrderNumber: "000000000001", ProductName: "무지개 미니낭초", PaidAt: noon}
)

// populated returns a world with the members A, who has an order, and B, and an admin.
func populated(directory account.Directory) *world {
	w := newWorld()
	w.Advance(789 * time.Nanosecond) // what the database does not keep
	w.deps.Directory = directory
	w.World = accounttest.NewWorld(w.Clock, w.deps)
	w.orders.Last = []account.Order{orderOfA}
	w.add(account.Member{ID: idA, Email: "Sungi@x.test", Name: "김선기", Nickname: "sungi", Phone: "01083574364", Gender: "M"})
	w.add(account.Member{ID: idB, Email: "dream@x.test", Name: "이은겸", Nickname: "dream", Phone: "01083574363", Gender: "F"})
	w.add(account.Member{ID: idAdmin, Email: "admin@x.test", Name: "Admin", Nickname: "admin", Phone: "0000000", Admin: true})
	return w
}

func (w *world) add(member account.Member) {
	member.PasswordHash, member.Active, member.Version = "hash of "+password, true, 1
	w.store.Alter(member.ID, func(stored *account.Member) { *stored = member })
}

// member returns a member as it is stored, the zero Member where there is none.
func (w *world) member(id uint64) account.Member {
	member, _ := w.store.Member(context.Background(), id)
	return member
}

// admin makes a member with the admin right.
func (w *world) admin(t *testing.T, n int) accounttest.Registered {
	t.Helper()
	admin := w.Register(t, n)
	w.store.Alter(admin.MemberID, func(member *account.Member) { member.Admin = true })
	admin.Principal.Admin = true
	return admin
}

// demote and deactivate are what an admin may do to a member.
func demote(member *account.Member)     { member.Admin = false }
func deactivate(member *account.Member) { member.Active = false }

// try logs in and returns how long the client is asked to wait; -1 says that the password was looked at and refused.
func (w *world) try(t *testing.T, client account.Client, email, password string) time.Duration {
	t.Helper()
	_, err := w.LogIn(t.Context(), client, email, password)
	switch {
	case fault.Is(err, fault.TooManyRequests):
		return fault.Of(err).RetryAfter
	case err != nil:
		require.Equal(t, credentials, err)
		return -1
	}
	return 0
}

// watched is account.Store that notes what is asked of it.
type watched struct {
	*accounttest.Store
	beforeWrite func()        // what others do meanwhile, once
	query       account.Query // the last one
	latest      int           // how often a member was read from the primary
}

func (w *watched) meanwhile() {
	if happens := w.beforeWrite; happens != nil {
		w.beforeWrite = nil
		happens()
	}
}

func (w *watched) LatestMember(ctx context.Context, id uint64) (account.Member, error) {
	w.latest++
	return w.Store.LatestMember(ctx, id)
}

func (w *watched) Members(ctx context.Context, query account.Query) (listing.Rows[account.Member], error) {
	w.query = query
	return w.Store.Members(ctx, query)
}

func (w *watched) CreateMember(ctx context.Context, member account.Member, session account.Session, record account.LoginRecord, request account.IdempotentRequest) ([]byte, error) {
	w.meanwhile()
	return w.Store.CreateMember(ctx, member, session, record, request)
}

func (w *watched) UpdateMember(ctx context.Context, id uint64, change func(*account.Member) (account.Consequences, error)) (account.Member, []account.Revocation, error) {
	w.meanwhile()
	return w.Store.UpdateMember(ctx, id, change)
}

// watchedPasswords notes what is asked of it, and lets something happen while a password is looked at. A hash that begins with
// "old " is outdated.
type watchedPasswords struct {
	accounttest.Passwords
	asked     []string
	meanwhile func() // once
}

func (w *watchedPasswords) happens() {
	if happens := w.meanwhile; happens != nil {
		w.meanwhile = nil
		happens()
	}
}

func (w *watchedPasswords) Hash(ctx context.Context, household, password string) (string, error) {
	w.asked = append(w.asked, "hash")
	w.happens()
	return w.Passwords.Hash(ctx, household, password)
}

func (w *watchedPasswords) Verify(ctx context.Context, household, hash, password string) (ok, outdated bool, err error) {
	w.asked = append(w.asked, "verify")
	w.happens()
	text, outdated := strings.CutPrefix(hash, "old ")
	ok, _, err = w.Passwords.Verify(ctx, household, text, password)
	return ok, outdated, err
}

// watchedOrders notes whose orders it is asked for. It may hang.
type watchedOrders struct {
	accounttest.Orders
	asked [][]uint64
	hangs bool
}

func (w *watchedOrders) LastOrders(ctx context.Context, customerIDs []uint64) (map[uint64]account.Order, error) {
	w.asked = append(w.asked, customerIDs)
	if w.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return w.Orders.LastOrders(ctx, customerIDs)
}
