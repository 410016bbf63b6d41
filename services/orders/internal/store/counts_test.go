package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
)

// many is how many orders each of two customers has in these tests: more than are counted each time.
const many = 600

// newLargeDatabase is a schema with many orders of the customers 1 and 2, which were paid long ago, and a clock of the store.
func newLargeDatabase(t *testing.T) (database, *atomic.Int64) {
	t.Helper()
	d := newDatabase(t)
	_, err := d.Root.ExecContext(t.Context(), "INSERT INTO orders (customer_id, order_number, product_name, paid_at)"+
		" SELECT n % 2 + 1, LPAD(n, 12, '0'), CONCAT('p', n * 7 % 50), ? + INTERVAL n * 11 % 100 SECOND FROM "+mysqlxtest.Numbers(2*many)+" ORDER BY n", paidAt)
	require.NoError(t, err)
	require.NoError(t, d.Pair.Sync(t.Context()))
	return d.anew()
}

// anew is another process on the schema, which remembers nothing, and by how many nanoseconds its clock is ahead.
func (d database) anew() (database, *atomic.Int64) {
	ahead := &atomic.Int64{}
	d.Store = store.New(d.Cluster, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	return d, ahead
}

// listed reads a page of all orders, or of one customer's.
func (d database) listed(t *testing.T, ctx context.Context, customerID uint64, request listing.Request) listing.Rows[order.Order] { //nolint:revive // the context says what must be seen
	t.Helper()
	if customerID != 0 {
		request = request.Only("customer", customerID)
	}
	page, err := d.Orders(ctx, order.Query{Request: request})
	require.NoError(t, err)
	return page
}

// counts are the numbers of all orders and of the two customers', as pages tell them, and as they are.
func (d database) counts(t *testing.T, ctx context.Context) (told, actual [3]int) { //nolint:revive // the context says what must be seen
	t.Helper()
	for customerID := range told {
		told[customerID] = d.listed(t, ctx, uint64(customerID), listing.Request{Limit: 3}).Count
		require.NoError(t, d.Root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders WHERE customer_id = ? OR ? = 0", customerID, customerID).
			Scan(&actual[customerID]))
	}
	return told, actual
}

func (d database) requireExact(t *testing.T) {
	t.Helper()
	told, actual := d.counts(t, d.told(t))
	require.Equal(t, actual, told)
}

// give gives an order to a customer.
func (d database) give(t *testing.T, id, customerID uint64) {
	t.Helper()
	_, err := d.update(t.Context(), id, func(o *order.Order) { o.CustomerID = customerID })
	require.NoError(t, err)
}

func TestRememberedCountsAreExactWhateverHappensToOrders(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	d.requireExact(t)
	young := d.addOrder(t, order.Order{CustomerID: 1, OrderNumber: "YOUNG0000001", ProductName: "p", PaidAt: time.Now()})
	for _, step := range []func(){
		func() {},
		func() { d.remove(t, 1) },
		func() { d.give(t, 2, 1) },
		func() { d.give(t, 2, 2) },
		func() { d.give(t, 3, 77) },
		func() { d.give(t, young.ID, 2) },
		func() { d.remove(t, young.ID) },
		func() { d.remove(t, 3) },
		func() { d.remove(t, 2) },
	} {
		step()
		d.requireExact(t)
		other, _ := d.anew()
		other.requireExact(t)
	}
}

func TestRememberedCountsAreExactAfterOrdersCameAndWentAtOnce(t *testing.T) {
	t.Parallel()
	d, ahead := newLargeDatabase(t)
	d.requireExact(t)
	var numbers atomic.Int64
	for round := range 6 {
		if round == 3 {
			ahead.Add(int64(11 * time.Minute)) // all is counted anew, while others write
		}
		ended := make(chan struct{})
		var readers sync.WaitGroup
		for _, ctx := range []context.Context{d.told(t), t.Context()} {
			readers.Go(func() {
				for turn := 0; ; turn++ {
					select {
					case <-ended:
						return
					default:
						_, err := d.Orders(ctx, order.Query{Request: listing.Request{Limit: 3, Offset: turn % 7 * 200}})
						require.NoError(t, err)
					}
				}
			})
		}
		for _, err := range together(6, func(writer int) error {
			for range 10 {
				err := d.writeAnything(t, uint64(writer), numbers.Add(1))
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		close(ended)
		readers.Wait()
		d.requireExact(t)
		require.NoError(t, d.Pair.Sync(t.Context()))
		told, actual := d.counts(t, t.Context())
		require.Equal(t, actual, told, "on the replica")
	}
}

// writeAnything adds an order, removes one of the writer's own share, or gives it to the other customer.
func (d database) writeAnything(t *testing.T, writer uint64, number int64) error {
	added := order.Order{CustomerID: writer%2 + 1, OrderNumber: fmt.Sprintf("W%011d", number), ProductName: "p", PaidAt: time.Now()}
	stored, err := d.create(t.Context(), added)
	if err != nil {
		return err
	}
	id := 1 + writer + 6*rand.Uint64N(2*many/6)
	if number%4 == 0 {
		id = stored.ID
	}
	if number%2 == 0 {
		_, _, err = d.ChangeOrder(t.Context(), unkeyed, id, deletion)
	} else {
		_, err = d.update(t.Context(), id, func(o *order.Order) { o.CustomerID = 3 - o.CustomerID })
	}
	if fault.Is(err, fault.NotFound) {
		return nil // it was removed before
	}
	return err
}

func TestACountHasTheWritesOfTransactionsThatTookLong(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	slow, err := d.Root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer slow.Rollback() //nolint:errcheck // it is committed below
	// These take their ids before those that are committed below.
	for _, statement := range []string{
		"INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'SLOW00000001', 'p', UTC_TIMESTAMP(6))",
		"DELETE FROM orders WHERE id = 100",
		"INSERT INTO order_moves (customer_id, order_id, gained, at) VALUES (2, 100, -1, UTC_TIMESTAMP(6))",
	} {
		_, err := slow.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	d.addOrder(t, order.Order{CustomerID: 1, OrderNumber: "FAST00000001", ProductName: "p", PaidAt: time.Now()})
	d.remove(t, 200)
	d.requireExact(t)
	require.NoError(t, slow.Commit())
	d.requireExact(t)
}

func TestACountIsThatOfTheServerThatIsAsked(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	primary := d.OnPrimaryAlone(t)
	everywhere := [3]int{2 * many, many, many}
	first, _ := d.anew()
	told, _ := first.counts(t, t.Context())
	require.Equal(t, everywhere, told, "remembered by the replica, or by the primary while both are the same")

	primary("DELETE FROM orders WHERE id IN (1, 2, 4)")
	primary("INSERT INTO order_moves (customer_id, order_id, gained, at) VALUES (1, 1, -1, UTC_TIMESTAMP(6)), (2, 2, -1, UTC_TIMESTAMP(6)), (2, 4, -1, UTC_TIMESTAMP(6))")
	primary("INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'PRIMARY00001', 'p', UTC_TIMESTAMP(6))")
	behind := [3]int{2*many - 2, many, many - 2}
	second, _ := d.anew()
	told, actual := second.counts(t, d.told(t))
	require.Equal(t, behind, actual)
	require.Equal(t, behind, told, "counted on the primary")
	for name, process := range map[string]database{"remembered before": first, "remembered on the primary": second} {
		for range 3 {
			told, _ := process.counts(t, process.told(t))
			require.Equal(t, behind, told, "%s: the primary", name)
			require.Eventually(t, func() bool {
				told, _ := process.counts(t, t.Context())
				return told == everywhere
			}, hanging, poll, "%s: the replica is asked, and has no change", name)
		}
	}
}

// An earlier release removes orders and tells nobody.
func TestWhatPagesUseIsCountedAnewEveryTenMinutesByNoPage(t *testing.T) {
	t.Parallel()
	d, ahead := newLargeDatabase(t)
	d.requireExact(t)
	d.exec(t, "DELETE FROM orders WHERE id = 2")
	later := func(wait time.Duration, exact bool, why string) {
		t.Helper()
		ahead.Add(int64(wait))
		require.NoError(t, d.RenewCounts(d.told(t)))
		told, actual := d.counts(t, d.told(t))
		require.Equal(t, exact, told == actual, why)
	}
	later(0, false, "it is remembered")
	later(10*time.Minute-time.Second, false, "it is not due")
	ahead.Add(int64(2 * time.Second))
	told, actual := d.counts(t, d.told(t))
	require.NotEqual(t, actual, told, "no page waits until all is counted")
	later(0, true, "it was due")
	d.remove(t, 4)
	d.requireExact(t)
}

func TestWhatNoPageUsesIsForgottenAndCountedByTheNextPage(t *testing.T) {
	t.Parallel()
	d, ahead := newLargeDatabase(t)
	d.requireExact(t)
	ahead.Add(int64(10 * time.Minute))
	require.NoError(t, d.RenewCounts(d.told(t))) // the pages that learned the numbers did not use them
	d.exec(t, "DELETE FROM orders WHERE id = 2")
	ahead.Add(int64(10*time.Minute - time.Second))
	told, actual := d.counts(t, d.told(t))
	require.NotEqual(t, actual, told)
	ahead.Add(int64(2 * time.Second))
	d.requireExact(t)
}

func TestFarPagesAreThoseOfAListThatIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	d.requireExact(t)
	compare := func(customerID uint64, total int) {
		t.Helper()
		for _, ordering := range everyOrdering() {
			for _, offset := range []int{0, 30, total/2 + 1, total - 45, total - 30, total - 1, total, total + 7, listing.MaxOffset} {
				request := listing.Request{Limit: 30, Offset: offset, Ordering: ordering}
				forgetful, _ := d.anew()
				want, got := forgetful.listed(t, d.told(t), customerID, request), d.listed(t, d.told(t), customerID, request)
				require.Equal(t, want, got, "customer %d, by %v from %d", customerID, ordering, offset)
				require.Equal(t, total, got.Count)
			}
		}
	}
	compare(0, 2*many)
	_, err := d.Root.ExecContext(t.Context(), "INSERT INTO orders (customer_id, order_number, product_name, paid_at)"+
		" SELECT 1, CONCAT('NEW', LPAD(n, 9, '0')), 'new', UTC_TIMESTAMP(6) FROM "+mysqlxtest.Numbers(100)+" ORDER BY n")
	require.NoError(t, err)
	compare(1, many+100)
}

func TestAFarPageStaysTheSameWhileOrdersArePlacedBehindIt(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	d.requireExact(t)
	request := listing.Request{Limit: 30, Offset: 2*many - 60}
	want := d.listed(t, d.told(t), 0, request).Values
	ended := make(chan struct{})
	var placing sync.WaitGroup
	for writer := range 2 {
		placing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ended:
					return
				default:
					_, err := d.create(t.Context(), order.Order{
						CustomerID: 1, OrderNumber: fmt.Sprintf("P%d%010d", writer, i), ProductName: "p", PaidAt: time.Now(),
					})
					require.NoError(t, err)
				}
			}
		})
	}
	for range 100 {
		page := d.listed(t, d.told(t), 0, request)
		require.Equal(t, want, page.Values)
		require.GreaterOrEqual(t, page.Count, 2*many)
	}
	close(ended)
	placing.Wait()
	d.requireExact(t)
}

func TestManyLaterOrdersAreAddedToWhatIsRemembered(t *testing.T) {
	t.Parallel()
	d, ahead := newLargeDatabase(t)
	d.requireExact(t)
	add := func(prefix string) {
		t.Helper()
		_, err := d.Root.ExecContext(t.Context(), "INSERT INTO orders (customer_id, order_number, product_name, paid_at)"+
			" SELECT 1, CONCAT(?, LPAD(n, 9, '0')), 'new', ? FROM "+mysqlxtest.Numbers(1500)+" ORDER BY n", prefix, paidAt)
		require.NoError(t, err)
	}
	for round, prefix := range []string{"ONE", "TWO"} {
		d.remove(t, uint64(10+round)) // before the number grows
		add(prefix)
		d.requireExact(t) // which adds them
		d.remove(t, uint64(20+round))
		d.give(t, uint64(31+2*round), 2)
		d.requireExact(t)
		ahead.Add(int64(time.Minute))
	}
}

func TestManyOrdersThatWentAreTakenOffWhatIsRemembered(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	all := func() int {
		t.Helper()
		return d.listed(t, d.told(t), 0, listing.Request{Limit: 3}).Count
	}
	require.Equal(t, 2*many, all())
	const gone = 1100
	d.exec(t, "INSERT INTO order_moves (customer_id, order_id, gained, at)"+
		" SELECT customer_id, id, -1, UTC_TIMESTAMP(6) - INTERVAL 10 MINUTE FROM orders WHERE id <= ?", gone)
	d.exec(t, "DELETE FROM orders WHERE id <= ?", gone)
	require.Equal(t, 2*many-gone, all())
	d.exec(t, "DELETE FROM order_moves")
	require.Equal(t, 2*many-gone, all(), "no page sums up their entries any more")
}

// As many come as go, so the number stays, and yet each page would read them all.
func TestOrdersThatCameAreAddedToWhatIsRememberedAlsoIfAsManyWent(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	all := func() int {
		t.Helper()
		return d.listed(t, d.told(t), 0, listing.Request{Limit: 3}).Count
	}
	require.Equal(t, 2*many, all())
	const gone = 1100
	d.exec(t, "INSERT INTO order_moves (customer_id, order_id, gained, at)"+
		" SELECT customer_id, id, -1, UTC_TIMESTAMP(6) - INTERVAL 10 MINUTE FROM orders WHERE id <= ?", gone)
	d.exec(t, "DELETE FROM orders WHERE id <= ?", gone)
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at)"+
		" SELECT 1, CONCAT('NEW', LPAD(n, 9, '0')), 'new', ? FROM "+mysqlxtest.Numbers(gone)+" ORDER BY n", paidAt)
	require.Equal(t, 2*many, all())
	d.exec(t, "DELETE FROM order_moves")
	require.Equal(t, 2*many, all(), "no page sums up their entries any more")
}

// A promotion that is forced loses what the new primary has not received.
func TestNoCountOfBeforeAPromotionIsUsedAfterIt(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	d.requireExact(t)
	d.exec(t, "DELETE FROM orders WHERE id <= 10")
	before := d.Cluster.Epoch()
	d.exec(t, "UPDATE heartbeat SET epoch = epoch + 1")
	require.Eventually(t, func() bool { return d.Cluster.Epoch() > before && d.Cluster.Ready() == nil }, hanging, poll)
	d.requireExact(t)
}

// besides does something before each transaction of a cleaner ends.
type besides struct {
	*mysqlx.Cluster
	do func()
}

func (b besides) Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	return b.Cluster.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		defer b.do()
		return work(ctx, tx)
	})
}

func TestTheRemovalOfOldMovesKeepsNoNewOneWaiting(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.exec(t, "INSERT INTO order_moves (customer_id, order_id, gained, at) SELECT 1, n, -1, UTC_TIMESTAMP(6) - INTERVAL 61 MINUTE FROM "+mysqlxtest.Numbers(3))
	noted := 0
	cleaner := listsql.NewCleaner(store.List, besides{d.Cluster, func() {
		d.exec(t, "INSERT INTO order_moves (customer_id, order_id, gained, at) VALUES (1, 4, -1, UTC_TIMESTAMP(6))")
		noted++
	}}, time.Now)
	for range 2 {
		require.NoError(t, cleaner.Clean(t.Context()))
		require.Equal(t, 1, noted, "what has nothing to remove writes nothing")
		require.Equal(t, 1, d.rows(t, "order_moves"))
	}
}

func TestMovesAreKeptAnHour(t *testing.T) {
	t.Parallel()
	d, _ := newLargeDatabase(t)
	_, err := d.Root.ExecContext(t.Context(), "INSERT INTO order_moves (customer_id, order_id, gained, at)"+
		" SELECT 1, n, -1, UTC_TIMESTAMP(6) - INTERVAL 61 MINUTE FROM "+mysqlxtest.Numbers(2500))
	require.NoError(t, err)
	d.remove(t, 1)
	cleaner := listsql.NewCleaner(store.List, d.Cluster, time.Now)
	require.NoError(t, cleaner.Clean(t.Context()))
	require.Equal(t, 1, d.rows(t, "order_moves"))
}
