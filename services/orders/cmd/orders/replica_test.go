package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/servers/testservers"
)

// These share one pair, which each leaves whole but the last, which kills the replica. They run before the parallel
// tests: the start of a pair keeps the disk busy, and so does a log of all statements.
func TestPrimaryAndReplica(t *testing.T) {
	pair := testservers.NewPair(t)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	p := startOn(t, pair, schema)
	p.awaitNATS(t)
	primary := logStatements(t, pair.Primary, schema.App.User)
	replica := logStatements(t, pair.Replica, schema.App.User)
	path := p.as(t, alice).order(t, "AAAA00000001", "p")
	require.NoError(t, pair.Sync(t.Context()))
	p.awaitReplica(t, replica)

	for _, c := range []struct {
		name                 string
		read                 func(t *testing.T)
		onPrimary, onReplica int
	}{
		{"a member's list", func(t *testing.T) { p.as(t, bob).list(t, "/orders/") }, 0, 1},
		{"a member's search", func(t *testing.T) { p.as(t, bob).list(t, "/orders/?search=p") }, 0, 1},
		{"an order", func(t *testing.T) { p.as(t, boss).get(t, path) }, 0, 1},
		{"an order's timeline", func(t *testing.T) { p.as(t, boss).get(t, path+"/timeline") }, 0, 2},
		{"what the replica does not have is asked of the primary", func(t *testing.T) { p.as(t, boss).get(t, "/orders/77") }, 1, 1},
		{"an admin's list", func(t *testing.T) { p.as(t, boss).list(t, "/orders/") }, 0, 2},
		{"an admin's full page is counted", func(t *testing.T) { p.as(t, boss).list(t, "/orders/?limit=1") }, 0, 3},
		{"an admin's search", func(t *testing.T) { p.as(t, boss).list(t, "/orders/?search=p") }, 0, 2},
		{"500 last orders are one statement", func(t *testing.T) { p.lastOf(t, 0, orders.MaxCustomers) }, 0, 1},
		{"one's own last order is one statement", func(t *testing.T) { p.lastOf(t, 0, 1) }, 0, 1},
		{"a last order for someone who was told more", func(t *testing.T) { p.lastOf(t, consistency.Newest, 1) }, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			primaryBefore, replicaBefore := primary.count(t), replica.count(t)
			c.read(t)
			require.Len(t, primary.all(t)[primaryBefore:], c.onPrimary, "on the primary")
			require.Len(t, replica.all(t)[replicaBefore:], c.onReplica, "on the replica")
		})
	}
	t.Run("a member's own order, once the replica has it", func(t *testing.T) {
		require.Eventually(t, func() bool {
			before := replica.count(t)
			require.Equal(t, http.StatusOK, p.as(t, alice).get(t, path).status)
			return replica.count(t) > before
		}, patience, poll)
	})
	t.Run("a write has few statements", func(t *testing.T) { fewStatements(t, p, primary) })
	t.Run("another instance shows what the token covers", func(t *testing.T) { elsewhere(t, p, replica) })
	t.Run("a replica that is behind is left out", func(t *testing.T) { behind(t, p, replica) })
	t.Run("no request fails when the replica hangs or dies", func(t *testing.T) { lost(t, p) })
}

// fewStatements counts the statements of each write: what begins and ends its transaction, what it is about, the number that
// an order takes or gives up, an entry of the timeline, an event.
func fewStatements(t *testing.T, p *process, primary statements) {
	path := p.as(t, boss).order(t, "COUNT0000001", "p")
	require.Len(t, primary.transaction(t, "COUNT0000001"), 7)

	keyed := p.as(t, boss).send(t, message{
		method: http.MethodPost, path: "/orders/", contentType: jsonType,
		body: `{"order_number": "COUNT0000002", "product_name": "p"}`, header: map[string]string{"Idempotency-Key": "k"},
	})
	require.Equal(t, http.StatusCreated, keyed.status, keyed.text)
	require.Len(t, primary.transaction(t, "COUNT0000002"), 9)

	p.as(t, boss).json(t, http.MethodPatch, path, `{"product_name": "COUNTED"}`)
	require.Len(t, primary.transaction(t, "COUNTED"), 6)
	p.as(t, boss).json(t, http.MethodPatch, path, `{"order_number": "COUNT0000003"}`)
	require.Len(t, primary.transaction(t, "COUNT0000003"), 8)
	p.as(t, boss).json(t, http.MethodPost, path+"/transitions", `{"to": "cancelled", "note": "COUNTED NOTE"}`)
	require.Len(t, primary.transaction(t, "COUNTED NOTE"), 6)
	require.Equal(t, http.StatusNoContent, p.as(t, boss).send(t, message{method: http.MethodDelete, path: path}).status)
	require.Len(t, primary.transaction(t, "DELETE FROM orders"), 7)
}

// otherAdmin wrote nothing in these tests.
const otherAdmin = 19

func (p *process) asOtherAdmin(t *testing.T) caller {
	t.Helper()
	return p.asPrincipal(t, authn.Principal{MemberID: otherAdmin, SessionID: 1, Admin: true})
}

func (p *process) lastOf(t *testing.T, after consistency.Token, customers int) {
	t.Helper()
	reply, err := p.last(t, after, manyCustomers(customers)...)
	require.NoError(t, err)
	require.Len(t, reply.Orders, 1)
}

// awaitReplica waits until the replica serves reads.
func (p *process) awaitReplica(t *testing.T, replica statements) {
	t.Helper()
	require.Eventually(t, func() bool {
		before := replica.count(t)
		p.asOtherAdmin(t).list(t, "/orders/")
		return replica.count(t) > before
	}, patience, poll)
}

// elsewhere reads from an instance that did not pass the write on, while the replica is behind but still in use.
func elsewhere(t *testing.T, p *process, replica statements) {
	other := *p
	other.run(t)
	other.awaitReplica(t, replica)
	_, err := replica.root.ExecContext(t.Context(), "STOP REPLICA SQL_THREAD")
	require.NoError(t, err)
	created := p.as(t, alice).post(t, `{"order_number": "TOKEN0000001", "product_name": "p"}`)
	token := map[string]string{consistency.Header: created.header.Get(consistency.Header)}
	require.NotEmpty(t, token[consistency.Header], created.text)
	before := replica.count(t)
	without := other.as(t, alice).list(t, "/orders/")
	if replica.count(t) > before {
		require.NotContains(t, without, "TOKEN0000001", "the replica is behind")
	}
	for range 20 {
		shown := other.as(t, alice).send(t, message{method: http.MethodGet, path: "/orders/", header: token})
		require.Contains(t, shown.numbers(t), "TOKEN0000001")
	}
	require.Equal(t, http.StatusOK, other.as(t, alice).get(t, created.header.Get("Location")).status)

	_, err = replica.root.ExecContext(t.Context(), "START REPLICA SQL_THREAD")
	require.NoError(t, err)
	p.awaitReplica(t, replica)
	require.NoError(t, other.Stop())
}

func behind(t *testing.T, p *process, replica statements) {
	_, err := replica.root.ExecContext(t.Context(), "STOP REPLICA SQL_THREAD")
	require.NoError(t, err)
	path := p.as(t, alice).order(t, "LATE00000001", "p")
	for range 20 {
		require.Contains(t, p.as(t, alice).list(t, "/orders/"), "LATE00000001", "a member sees its write at once")
	}
	require.Equal(t, http.StatusOK, p.asOtherAdmin(t).get(t, path).status, "an order is not denied by a replica")
	p.as(t, boss).json(t, http.MethodPatch, path, `{"product_name": "newer", "customer": 2}`)
	for range 20 {
		require.Contains(t, p.as(t, bob).list(t, "/orders/"), "LATE00000001", "so does its customer")
	}
	require.Eventually(t, func() bool {
		numbers := p.asOtherAdmin(t).list(t, "/orders/")
		return strings.Contains(strings.Join(numbers, " "), "LATE00000001")
	}, patience, poll, "an admin sees it once the replica is left out")
	before := replica.count(t)
	p.asOtherAdmin(t).list(t, "/orders/")
	require.Equal(t, before, replica.count(t))

	_, err = replica.root.ExecContext(t.Context(), "START REPLICA SQL_THREAD")
	require.NoError(t, err)
	p.awaitReplica(t, replica)
}

func lost(t *testing.T, p *process) {
	const readers, enough = 4, 50
	from := p.asOtherAdmin(t)
	var answered atomic.Int64
	failures := make(chan string, readers)
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := from.try(t.Context(), message{method: http.MethodGet, path: "/orders/?limit=1"})
				if err != nil || got.status != http.StatusOK {
					failures <- got.text
					return
				}
				answered.Add(1)
			}
		})
	}
	more := func() {
		until := answered.Load() + enough
		require.Eventually(t, func() bool { return answered.Load() >= until || len(failures) > 0 }, patience, poll)
	}
	more()
	require.NoError(t, p.Pair.Replica.Pause())
	more()
	require.NoError(t, p.Pair.Replica.Continue())
	more()
	require.NoError(t, p.Pair.Replica.Kill())
	more()
	close(stop)
	reading.Wait()
	close(failures)
	for failure := range failures {
		require.Fail(t, "a read failed", failure)
	}
	require.Equal(t, http.StatusCreated, p.as(t, alice).post(t, `{"product_name": "p"}`).status)
}
