package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/devenv"
)

// These share one pair, which each leaves whole but the last, which kills the replica. They run before the parallel
// tests: the start of a pair keeps the disk busy, and so does a log of all statements.
func TestPrimaryAndReplica(t *testing.T) {
	pair := devenv.NewPair(t)
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
		{"an own list uses the primary", func(t *testing.T) { p.as(t, bob).list(t, "/orders/") }, 1, 0},
		{"an own search uses the primary", func(t *testing.T) { p.as(t, bob).list(t, "/orders/?search=p") }, 1, 0},
		{"an own order uses the primary", func(t *testing.T) { p.as(t, alice).get(t, path) }, 1, 0},
		{"an admin's list uses the replica", func(t *testing.T) { p.as(t, boss).list(t, "/orders/") }, 0, 2},
		{"an admin's full page is counted", func(t *testing.T) { p.as(t, boss).list(t, "/orders/?limit=1") }, 0, 3},
		{"an admin's search uses the replica", func(t *testing.T) { p.as(t, boss).list(t, "/orders/?search=p") }, 0, 2},
		{"an order uses the primary, also for an admin", func(t *testing.T) { p.as(t, boss).get(t, path) }, 1, 0},
		{"500 last orders are one statement", func(t *testing.T) { p.lastOf(t, boss, orders.MaxCustomers) }, 0, 1},
		{"one's own last order is one statement", func(t *testing.T) { p.lastOf(t, alice, 1) }, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			primaryBefore, replicaBefore := primary.count(t), replica.count(t)
			c.read(t)
			require.Len(t, primary.all(t)[primaryBefore:], c.onPrimary, "on the primary")
			require.Len(t, replica.all(t)[replicaBefore:], c.onReplica, "on the replica")
		})
	}
	t.Run("an admin that wrote reads from the primary", func(t *testing.T) {
		p.as(t, boss).order(t, "ZZZZ00000001", "p")
		before := replica.count(t)
		require.Contains(t, p.as(t, boss).list(t, "/orders/"), "ZZZZ00000001")
		require.Equal(t, before, replica.count(t))
	})
	t.Run("a replica that is behind is left out", func(t *testing.T) { behind(t, p, replica) })
	t.Run("no request fails when the replica hangs or dies", func(t *testing.T) { lost(t, p) })
}

// otherAdmin wrote nothing in these tests.
const otherAdmin = 19

func (p *process) asOtherAdmin(t *testing.T) caller {
	t.Helper()
	return p.asPrincipal(t, authn.Principal{MemberID: otherAdmin, SessionID: 1, Admin: true})
}

func (p *process) lastOf(t *testing.T, readerID uint64, customers int) {
	t.Helper()
	reply, err := p.last(t, readerID, manyCustomers(customers)...)
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

func behind(t *testing.T, p *process, replica statements) {
	_, err := replica.root.ExecContext(t.Context(), "STOP REPLICA SQL_THREAD")
	require.NoError(t, err)
	p.as(t, alice).order(t, "LATE00000001", "p")
	require.Contains(t, p.as(t, alice).list(t, "/orders/"), "LATE00000001", "a member sees its write at once")
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
	require.NoError(t, p.pair.Replica.Pause())
	more()
	require.NoError(t, p.pair.Replica.Continue())
	more()
	require.NoError(t, p.pair.Replica.Kill())
	more()
	close(stop)
	reading.Wait()
	close(failures)
	for failure := range failures {
		require.Fail(t, "a read failed", failure)
	}
	require.Equal(t, http.StatusCreated, p.as(t, alice).post(t, `{"product_name": "p"}`).status)
}
