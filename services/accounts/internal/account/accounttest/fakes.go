package accounttest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
)

// The times of a Service.
const (
	TokenLifetime       = 10 * time.Hour
	RefreshLifetime     = 720 * time.Hour
	RefreshRepeatWindow = 10 * time.Hour
	LastOrdersTimeout   = 150 * time.Millisecond
)

// Dependencies returns what a service works with on the store: passwords that cost nothing, tokens that can be read, nobody to be told,
// nobody with an order, and a clock.
func Dependencies(store account.Store, clock *Clock) account.Dependencies {
	keep, err := vault.New(strings.Repeat("s", vault.MinSecret))
	if err != nil {
		panic(err) // the secret is long enough
	}
	return account.Dependencies{
		Store: store, Passwords: Passwords{}, Tokens: Tokens{}, Orders: &Orders{}, Revocations: Nobody{}, Vault: keep,
		Now: clock.Now, Log: slog.New(slog.DiscardHandler), Pause: func(context.Context, time.Duration) {},
		Directory: account.DirectoryMasked, TokenLifetime: TokenLifetime, RefreshLifetime: RefreshLifetime,
		RefreshRepeatWindow: RefreshRepeatWindow, LastOrdersTimeout: LastOrdersTimeout, AuditRetention: account.MinAuditRetention,
	}
}

// Clock is a time that tests move. It is safe for concurrent use.
type Clock struct {
	mutex sync.Mutex
	now   time.Time
}

// NewClock returns a clock that stands at a time.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

// Advance moves the time forward.
func (c *Clock) Advance(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(by)
}

// Passwords is account.Passwords whose hashes can be read.
type Passwords struct{}

// Ready returns nil: nobody waits.
func (Passwords) Ready(string) error { return nil }

// Hash returns a text that holds the password's normal form.
func (Passwords) Hash(_ context.Context, _, password string) (string, error) {
	return "hash of " + account.NormalPassword(password), nil
}

// Verify compares the password with what Hash returned for it.
func (p Passwords) Verify(ctx context.Context, household, hash, password string) (ok, outdated bool, err error) {
	same, err := p.Hash(ctx, household, password)
	return hash == same, false, err
}

// Tokens is account.Tokens whose tokens can be read.
type Tokens struct{}

// Issue returns a token that SessionOf reads.
func (Tokens) Issue(member account.Member, sessionID uint64, _, expiresAt time.Time) (string, error) {
	return fmt.Sprintf("member %d session %d until %s admin %t", member.ID, sessionID, expiresAt.Format(time.RFC3339Nano), member.Admin), nil
}

// SessionOf returns whose token it is.
func SessionOf(token string) (memberID, sessionID uint64, err error) {
	_, err = fmt.Sscanf(token, "member %d session %d", &memberID, &sessionID)
	return memberID, sessionID, err
}

// Orders is account.LastOrders.
type Orders struct {
	Err  error
	Last []account.Order
}

// LastOrders returns those of Last that are of the customers, or Err.
func (o *Orders) LastOrders(_ context.Context, customerIDs []uint64) (map[uint64]account.Order, error) {
	orders := map[uint64]account.Order{}
	for _, order := range o.Last {
		if slices.Contains(customerIDs, order.CustomerID) {
			orders[order.CustomerID] = order
		}
	}
	return orders, o.Err
}

// Nobody hears of revocations.
type Nobody struct{}

// Publish does nothing.
func (Nobody) Publish(context.Context, []account.Revocation) {}
