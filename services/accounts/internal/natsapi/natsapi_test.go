package natsapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/accounts/internal/natsapi"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

const hanging = time.Minute // when a test gives up

var (
	log  = slog.New(slog.DiscardHandler)
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func connect(t *testing.T) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: testservers.NewNATS(t, "").URL()}, log)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, conn.IsConnected, hanging, 10*time.Millisecond)
	return conn
}

// serve answers until the test ends. It returns once ready does.
func serve(t *testing.T, conn *nats.Conn, service string, ready func(context.Context) error, endpoints ...natsx.Endpoint) context.Context {
	t.Helper()
	testservers.Run(t, func(ctx context.Context) error { return natsx.Serve(ctx, conn, service, log, endpoints...) })
	ctx, cancel := context.WithTimeout(t.Context(), hanging)
	t.Cleanup(cancel)
	require.Eventually(t, func() bool { return ready(ctx) == nil }, hanging, 10*time.Millisecond)
	return ctx
}

// noting is account.Store that notes what reaches it.
type noting struct {
	*accounttest.Store
	after atomic.Uint64
	seen  atomic.Pointer[map[uint64]time.Time]
}

func (n *noting) MatchingMembers(ctx context.Context, terms []string, among uint64, most int) ([][]uint64, error) {
	n.after.Store(uint64(consistency.After(ctx)))
	return n.Store.MatchingMembers(ctx, terms, among, most)
}

func (n *noting) MarkLastSeen(_ context.Context, seen map[uint64]time.Time) error {
	n.seen.Store(&seen)
	return nil
}

func call[Reply any](ctx context.Context, t *testing.T, conn *nats.Conn, subject string, request any) Reply {
	t.Helper()
	reply, err := natsx.Call[Reply](ctx, conn, subject, request)
	require.NoError(t, err, "%+v", request)
	return reply
}

func TestOthersAskOverNATSWhoExistsAndMatchesAndReportSessions(t *testing.T) {
	t.Parallel()
	store, conn := &noting{Store: accounttest.NewStore()}, connect(t)
	for id, member := range map[uint64]account.Member{
		1: {Name: "김선기", Email: "m1@x.test", Active: true}, 2: {Name: "김", Email: "m2@x.test", Active: true, Admin: true}, 3: {},
	} {
		store.Alter(id, func(stored *account.Member) { *stored = member; stored.ID = id })
	}
	service := account.NewService(accounttest.Dependencies(store, accounttest.NewClock(noon)))
	ctx := serve(t, conn, accounts.Service, func(ctx context.Context) error {
		_, err := natsx.Call[accounts.LastSeenReply](ctx, conn, accounts.SubjectLastSeen, accounts.LastSeenRequest{})
		return err
	}, natsapi.Endpoints(service)...)

	for id, want := range map[uint64]accounts.ExistsReply{
		1: {Exists: true, Active: true}, 2: {Exists: true, Active: true, Admin: true}, 3: {Exists: true}, 0: {}, 12345: {}, 1<<64 - 1: {},
	} {
		require.Equal(t, want, call[accounts.ExistsReply](ctx, t, conn, accounts.SubjectExists, accounts.ExistsRequest{MemberID: id}), id)
	}
	for _, test := range []struct {
		request accounts.MatchRequest
		want    [][]uint64
	}{
		{accounts.MatchRequest{Terms: []string{"m2@", "김", "nobody"}}, [][]uint64{{2}, {1, 2}, nil}},
		{accounts.MatchRequest{Terms: []string{"x.test"}, Among: 2, After: 7}, [][]uint64{{2}}},
		{accounts.MatchRequest{}, [][]uint64{}},
	} {
		reply := call[accounts.MatchReply](ctx, t, conn, accounts.SubjectMatch, test.request)
		require.Equal(t, accounts.MatchReply{MemberIDs: test.want}, reply, "%+v", test.request)
		require.Equal(t, test.request.After, store.after.Load(), "whoever will see the answer has seen so much")
	}
	call[accounts.LastSeenReply](ctx, t, conn, accounts.SubjectLastSeen, accounts.LastSeenRequest{Sessions: []accounts.LastSeen{{SessionID: 5, At: noon}}})
	require.Equal(t, map[uint64]time.Time{5: noon}, *store.seen.Load())
	for _, test := range []struct{ asked, here []uint64 }{{[]uint64{1, 5, 2}, []uint64{1, 2}}, {nil, nil}} {
		reply := call[accounts.ImportedReply](ctx, t, conn, accounts.SubjectImported, accounts.ImportedRequest{MemberIDs: test.asked})
		require.Equal(t, accounts.ImportedReply{MemberIDs: test.here}, reply)
	}
	for subject, bad := range map[string]any{
		accounts.SubjectMatch:    accounts.MatchRequest{Terms: make([]string, 9)},
		accounts.SubjectImported: accounts.ImportedRequest{MemberIDs: make([]uint64, accounts.MaxImported+1)},
		accounts.SubjectLastSeen: accounts.LastSeenRequest{Sessions: make([]accounts.LastSeen, accounts.MaxLastSeen+1)},
		accounts.SubjectExists:   []string{"not an object"},
	} {
		_, err := natsx.Call[struct{}](ctx, conn, subject, bad)
		require.True(t, fault.Is(err, fault.Malformed), "%s: %v", subject, err)
	}
}

func TestAGatewayHearsOverNATSForWhomATokenOfDRFOMSStands(t *testing.T) {
	t.Parallel()
	store, conn := accounttest.NewStore(), connect(t)
	store.Alter(7, func(stored *account.Member) { *stored = account.Member{ID: 7, Active: true, Admin: true} })
	live, expired, unknown := account.KnoxDigest{1}, account.KnoxDigest{2}, account.KnoxDigest{3}
	session := store.ImportKnoxToken(live, 7, noon.Add(time.Hour))
	store.ImportKnoxToken(expired, 7, noon)
	service := account.NewService(accounttest.Dependencies(store, accounttest.NewClock(noon)))
	ask := func(ctx context.Context, kind string, digest []byte) (accounts.CredentialReply, error) {
		return natsx.Call[accounts.CredentialReply](ctx, conn, accounts.SubjectCredential, accounts.CredentialRequest{Kind: kind, Digest: digest})
	}
	ctx := serve(t, conn, accounts.Service, func(ctx context.Context) error {
		_, err := ask(ctx, accounts.CredentialKnox, unknown[:])
		return err
	}, natsapi.Endpoints(service)...)
	for digest, want := range map[account.KnoxDigest]accounts.CredentialReply{
		live: {
			Found: true, MemberID: 7, SessionID: session, Admin: true, Scopes: []string{accounts.ScopeMember}, ExpiresAt: noon.Add(time.Hour),
		},
		expired: {},
		unknown: {},
	} {
		reply, err := ask(ctx, accounts.CredentialKnox, digest[:])
		require.NoError(t, err)
		require.Equal(t, want, reply)
	}
	for kind, digest := range map[string][]byte{"knox": live[:63], "": live[:], "another": live[:]} {
		_, err := ask(ctx, kind, digest)
		require.True(t, fault.Is(err, fault.Malformed), "%s: %v", kind, err)
	}
}

func TestLastOrdersAreAskedForWithTheCallersToken(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var asked atomic.Pointer[orders.LastRequest]
	order := orders.Order{ID: 1007, CustomerID: 7, OrderNumber: "00000000ABCD", ProductName: "꼬막무침 🍤", PaidAt: noon, State: "paid"}
	client := natsapi.NewOrders(conn)
	ctx := serve(t, conn, orders.Service, func(ctx context.Context) error {
		_, err := client.LastOrders(ctx, []uint64{1})
		return err
	}, natsx.NewEndpoint("last", orders.SubjectLast, func(_ context.Context, request orders.LastRequest) (orders.LastReply, error) {
		asked.Store(&request)
		return orders.LastReply{Orders: []orders.Order{order}}, nil
	}))
	last, err := client.LastOrders(consistency.Into(ctx, 9), []uint64{7, 8})
	require.NoError(t, err)
	require.Equal(t, map[uint64]account.Order{7: account.Order(order)}, last)
	require.Equal(t, orders.LastRequest{CustomerIDs: []uint64{7, 8}, After: 9}, *asked.Load())
}

func TestAllGatewaysAreToldOfRevocations(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	gateway, err := conn.SubscribeSync(accounts.SubjectRevoked)
	require.NoError(t, err)
	require.NoError(t, conn.Flush())
	revocation := account.Revocation{Sequence: 3, MemberID: 7, ThroughSession: 9, ExceptSession: 8, Until: noon}
	natsapi.NewRevocationPublisher(conn, log).Publish(t.Context(), []account.Revocation{revocation})
	message, err := gateway.NextMsg(hanging)
	require.NoError(t, err)
	var told accounts.Revocations
	require.NoError(t, json.Unmarshal(message.Data, &told))
	require.Equal(t, accounts.Revocations{Revocations: []accounts.Revocation{accounts.Revocation(revocation)}}, told)
}
