package store_test

import (
	"cmp"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
	"oms.internal/servers/testservers"
	omssql "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

const (
	hanging = time.Minute // is when a test gives up, far above what a slow machine needs
	poll    = 10 * time.Millisecond
)

// actor is who does what happens in these tests.
const actor = 9

// paidAt is when the orders of these tests are paid, unless the time matters.
var paidAt = time.Date(2026, 11, 23, 6, 36, 30, 511840000, time.UTC)

// database is a migrated schema of one test's own, and the store on it.
type database struct {
	*store.Store
	mysqlxtest.Database
}

func newDatabase(t testing.TB) database {
	t.Helper()
	return on(mysqlxtest.New(t, omssql.Orders()))
}

func on(d mysqlxtest.Database) database {
	return database{Store: store.New(d.Cluster, time.Now), Database: d}
}

// add stores an order and returns it with its id.
func (d database) add(t *testing.T, customerID uint64, number, product string) order.Order {
	t.Helper()
	return d.addOrder(t, order.Order{CustomerID: customerID, OrderNumber: number, ProductName: product, PaidAt: paidAt})
}

func (d database) addOrder(t *testing.T, added order.Order) order.Order {
	t.Helper()
	stored, err := d.create(d.told(t), added)
	require.NoError(t, err)
	require.NotZero(t, stored.ID)
	return stored
}

// told is the context of someone who must see all that the test wrote.
func (d database) told(t *testing.T) context.Context {
	t.Helper()
	return consistency.Into(t.Context(), consistency.Newest)
}

// create stores a new order, paid and of the first version unless it says otherwise.
func (d database) create(ctx context.Context, added order.Order) (order.Order, error) {
	added.State, added.Version = cmp.Or(added.State, order.Paid), cmp.Or(added.Version, 1)
	stored, _, err := d.CreateOrder(ctx, unkeyed, creation(added))
	return stored, err
}

// unkeyed is a request that is not sent again.
var unkeyed order.IdempotentRequest

func creation(created order.Order) order.Fact {
	return order.Fact{Event: orders.EventCreated, ActorID: actor, At: paidAt, Order: created}
}

// update changes an order as the domain does.
func (d database) update(ctx context.Context, id uint64, change func(*order.Order)) (order.Order, error) {
	changed, _, err := d.ChangeOrder(ctx, unkeyed, id, func(before order.Order) (order.Fact, error) {
		after := before
		if change(&after); after == before {
			return order.Fact{}, nil
		}
		after.Version++
		return order.Fact{Event: orders.EventChanged, ActorID: actor, At: paidAt, Order: after}, nil
	})
	return changed, err
}

func (d database) remove(t *testing.T, id uint64) {
	t.Helper()
	_, _, err := d.ChangeOrder(t.Context(), unkeyed, id, deletion)
	require.NoError(t, err)
}

func deletion(before order.Order) (order.Fact, error) {
	return order.Fact{Event: orders.EventDeleted, ActorID: actor, At: paidAt, Order: before}, nil
}

// get returns the order as it is on the primary.
func (d database) get(t *testing.T, id uint64) order.Order {
	t.Helper()
	found, err := d.Order(d.told(t), id)
	require.NoError(t, err)
	return found
}

func (d database) count(t *testing.T) int {
	t.Helper()
	return d.rows(t, "orders")
}

func (d database) rows(t *testing.T, table string) int {
	t.Helper()
	var count int
	require.NoError(t, d.Root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&count))
	return count
}

// queueing is how long a busy machine may take for writes to the same row.
const queueing = 2 * time.Minute

// together does work so many times at once and returns how each ended. On a busy machine, those that queue for the same row wait for
// longer than a statement may. That has written nothing, and is done again, but not for ever: what always waits too long is a fault.
func together(times int, work func(i int) error) []error {
	outcomes := make([]error, times)
	var start, done sync.WaitGroup
	start.Add(1)
	end := time.Now().Add(queueing)
	for i := range times {
		done.Go(func() {
			start.Wait()
			for outcomes[i] = work(i); mysqlx.IsLockTimeout(outcomes[i]) && time.Now().Before(end); {
				outcomes[i] = work(i)
			}
		})
	}
	start.Done()
	done.Wait()
	return outcomes
}
