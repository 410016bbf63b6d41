package account_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
)

var (
	noon    = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)
	noonish = noon.Truncate(time.Microsecond) // as the database keeps it
)

const (
	lifetime        = 10 * time.Hour
	refreshLifetime = 720 * time.Hour
)

// zeros is what makes every token and salt the same.
type zeros struct{}

func (zeros) Read(content []byte) (int, error) { clear(content); return len(content), nil }

// world is a service and all that it works with. Members A and B and the admin R exist.
type world struct {
	*account.Service
	deps      account.Dependencies
	store     *memory
	passwords *readable
	orders    *orderBook
	publisher *publisher
	paused    []time.Duration
}

const idA, idB, idAdmin = 1, 2, 3

var (
	callerA     = authn.Principal{MemberID: idA, SessionID: 101}
	callerB     = authn.Principal{MemberID: idB, SessionID: 102}
	callerAdmin = authn.Principal{MemberID: idAdmin, SessionID: 103, Admin: true}
)

func newWorld(_ testing.TB, directory account.Directory) *world {
	w := &world{
		store: &memory{members: map[uint64]account.Member{}, kept: map[string]keptAnswer{}}, passwords: &readable{}, orders: &orderBook{},
		publisher: &publisher{},
	}
	w.add(account.Member{ID: idA, Email: "Sungi@x.test", Name: "김선기", Nickname: "sungi", Phone: "01083574364", Gender: "M"})
	w.add(account.Member{ID: idB, Email: "dream@x.test", Name: "이은겸", Nickname: "dream", Phone: "01083574363", Gender: "F"})
	w.add(account.Member{ID: idAdmin, Email: "admin@x.test", Name: "Admin", Nickname: "admin", Phone: "0000000", Admin: true})
	w.deps = account.Dependencies{
		Store: w.store, Passwords: w.passwords, Tokens: tokens{}, Orders: w.orders, Revocations: w.publisher,
		Vault: &vault{},
		Now:   func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler), Random: zeros{},
		Pause:     func(_ context.Context, while time.Duration) { w.paused = append(w.paused, while) },
		Directory: directory, LastOrdersTimeout: 150 * time.Millisecond, TokenLifetime: lifetime, RefreshLifetime: refreshLifetime,
	}
	w.Service = account.NewService(w.deps)
	return w
}

// password is every member's.
const password = "Present'pwd0"

func (w *world) add(member account.Member) {
	member.PasswordHash, member.Active, member.Version = "hash of "+password, true, 1
	w.store.members[member.ID] = member
}

// readable is account.Passwords whose hashes can be read. It notes what was asked of it.
type readable struct{ asked []string }

func (r *readable) Ready() error { return nil }

func (r *readable) Hash(_ context.Context, password string) (string, error) {
	r.asked = append(r.asked, "hash")
	return "hash of " + password, nil
}

func (r *readable) Verify(_ context.Context, hash, password string) (ok, outdated bool, err error) {
	r.asked = append(r.asked, "verify")
	text, outdated := strings.CutPrefix(hash, "old ")
	return text == "hash of "+password, outdated, nil
}

type tokens struct{}

func (tokens) Issue(member account.Member, sessionID uint64, _, _ time.Time) (string, error) {
	return fmt.Sprintf("token of session %d of member %d", sessionID, member.ID), nil
}

// orderBook is account.LastOrders in which A has an order.
type orderBook struct {
	asked [][]uint64
	err   error
	hangs bool
}

var orderOfA = account.Order{ID: 9, CustomerID: idA, OrderNumber: "000000000001", ProductName: "무지개 미니낭초", PaidAt: noon}

func (o *orderBook) LastOrders(ctx context.Context, customerIDs []uint64) (map[uint64]account.Order, error) {
	o.asked = append(o.asked, customerIDs)
	if o.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if o.err != nil || !slices.Contains(customerIDs, idA) {
		return nil, o.err
	}
	return map[uint64]account.Order{idA: orderOfA}, nil
}

type publisher struct{ published [][]account.Revocation }

func (p *publisher) Publish(_ context.Context, revocations []account.Revocation) {
	p.published = append(p.published, revocations)
}

// vault is account.Vault that hides nothing and keeps everything.
type vault struct{ sealed []account.Login }

func (v *vault) Fingerprint(parts ...string) account.Digest {
	return sha256.Sum256(fmt.Appendf(nil, "%q", parts))
}

func (v *vault) Seal(_ account.Digest, login account.Login) ([]byte, error) {
	login.View.Member.PasswordHash = ""
	v.sealed = append(v.sealed, login)
	return []byte{byte(len(v.sealed))}, nil
}

func (v *vault) Open(_ account.Digest, sealed []byte) (account.Login, error) {
	if int(sealed[0]) > len(v.sealed) {
		return account.Login{}, errBroken
	}
	return v.sealed[sealed[0]-1], nil
}
