package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/drf"
	"oms.internal/libs/events"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Elsewhere is an order of drf-oms that differs from what was taken of it.
type Elsewhere = drf.Row[order.Order]

// OrdersAfter returns what an import has taken: a page of drf.Table.Known.
func (s *Store) OrdersAfter(ctx context.Context, after uint64, most int) (known []drf.Known[uint64], err error) {
	err = s.cluster.ReadLatest(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		known, err = drf.TakenAfter(ctx, reader, after, most)
		return err
	})
	return known, err
}

// ImportOrders takes orders of drf-oms as they are there, each for itself: a refusal says why one is not taken. If dry, nothing is written. An
// order that was taken and has not changed there since stays as it is.
func (s *Store) ImportOrders(ctx context.Context, batch []Elsewhere, dry bool) (result drf.Result, err error) {
	var tx transaction
	err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		tx = s.begun(writer)
		run := &orderImport{transaction: tx, Batch: drf.Batch{Dry: dry}, now: s.now()}
		if err := drf.Sort(ctx, writer, &run.Batch, batch, run); err != nil {
			return err
		}
		result = run.Result
		if dry {
			return drf.ErrDry
		}
		return nil
	})
	if err == nil {
		tx.naming.committed()
	}
	if errors.Is(err, drf.ErrDry) {
		err = nil
	}
	return result, err
}

// orderImport is one transaction of an import.
type orderImport struct {
	drf.Batch
	transaction
	now time.Time

	here map[uint64]order.Order
	// holders are the orders that have or had a number.
	holders map[string]uint64
}

// Find locks the orders that were taken before, and finds whose the numbers of the others are.
func (i *orderImport) Find(ctx context.Context, batch []Elsewhere) error {
	i.here, i.holders = map[uint64]order.Order{}, map[string]uint64{}
	if len(i.Taken) > 0 {
		rows, err := i.ListOrdersForUpdate(ctx, slices.Sorted(maps.Keys(i.Taken)))
		if err != nil {
			return err
		}
		for _, row := range rows {
			i.here[row.ID] = toOrder(row)
		}
	}
	var numbers []string
	for _, there := range batch {
		if there.Kind != drf.Gone && there.Problem == "" {
			numbers = append(numbers, there.Value.OrderNumber)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	rows, err := i.ListHoldersOfNumbers(ctx, sqlcgen.ListHoldersOfNumbersParams{PresentNumbers: numbers, FormerNumbers: numbers})
	for _, row := range rows {
		i.holders[row.OrderNumber] = row.ID
	}
	return err
}

// asHere is the digest of an order as it is stored.
func asHere(of order.Order) drf.Digest {
	return drf.Of("", strconv.FormatUint(of.CustomerID, 10), of.OrderNumber, of.ProductName, of.PaidAt.UTC().Format(time.RFC3339Nano), string(of.State))
}

// Changed brings what has changed there, unless the order was changed here, too.
func (i *orderImport) Changed(ctx context.Context, there Elsewhere, taken drf.Taken) error {
	before, present := i.here[taken.ID]
	holder, held := i.holders[there.Value.OrderNumber]
	switch {
	case !present:
		i.Refuse(taken.ID, false, "it was changed in drf-oms, but deleted here")
		return nil
	case asHere(before) != taken.Here:
		i.Refuse(taken.ID, false, "it was changed in drf-oms, and here, too")
		return nil
	case held && holder != taken.ID:
		i.Refuse(taken.ID, true, "its number %s is or was that of order %d here", there.Value.OrderNumber, holder)
		return nil
	}
	if i.Dry {
		i.Result.Changed++
		return nil
	}
	fact := order.ChangedElsewhere(before, there.Value, i.now)
	if err := change(ctx, i.transaction, before, fact); err != nil {
		if fault.Is(err, fault.Invalid) { // nothing is written before that
			i.Refuse(taken.ID, false, "its customer %d was deleted here", there.Value.CustomerID)
			return nil
		}
		return err
	}
	if err := i.SetPaidAt(ctx, sqlcgen.SetPaidAtParams{PaidAt: there.Value.PaidAt, ID: taken.ID}); err != nil {
		return err
	}
	i.holders[there.Value.OrderNumber] = taken.ID
	i.Result.Changed++
	if err := drf.Take(ctx, i.writer, drf.Taken{ID: taken.ID, Source: there.Source, Here: asHere(there.Value)}); err != nil {
		return err
	}
	return appendEvent(ctx, i.transaction, fact)
}

// Gone removes an order that is gone there, unless it was changed here.
func (i *orderImport) Gone(ctx context.Context, taken drf.Taken) error {
	before, present := i.here[taken.ID]
	if present && asHere(before) != taken.Here {
		i.Refuse(taken.ID, false, "it is gone in drf-oms, but was changed here")
		return nil
	}
	i.Result.Gone++
	if i.Dry {
		return nil
	}
	if present {
		fact := order.DeletedElsewhere(before, i.now)
		if err := change(ctx, i.transaction, before, fact); err != nil {
			return err
		}
		if err := appendEvent(ctx, i.transaction, fact); err != nil {
			return err
		}
	}
	return drf.Forget(ctx, i.writer, []uint64{taken.ID})
}

// Fresh takes orders that were not taken before, in a few statements for all.
func (i *orderImport) Fresh(ctx context.Context, all []Elsewhere) error {
	admitted, err := i.admitted(ctx, all)
	if err != nil || len(admitted) == 0 {
		return err
	}
	i.Result.New += len(admitted)
	if i.Dry {
		return nil
	}
	if err := i.insert(ctx, admitted); err != nil {
		return err
	}
	taken := make([]drf.Taken, len(admitted))
	for n, there := range admitted {
		taken[n] = drf.Taken{ID: there.ID, Source: there.Source, Here: asHere(there.Value)}
	}
	if err := drf.Take(ctx, i.writer, taken...); err != nil {
		return err
	}
	if err := i.noteBelow(ctx, admitted); err != nil {
		return err
	}
	return i.announce(ctx, taken[0].ID, taken[len(taken)-1].ID, len(taken))
}

// admitted returns the orders whose id and number are free.
func (i *orderImport) admitted(ctx context.Context, all []Elsewhere) (admitted []Elsewhere, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	ids := make([]uint64, len(all))
	for n, there := range all {
		ids[n] = there.ID
	}
	present, err := i.ListPresentOrders(ctx, ids)
	if err != nil {
		return nil, err
	}
	former, err := i.ListOrdersWithTimeline(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, there := range all {
		id, number := there.ID, there.Value.OrderNumber
		holder, held := i.holders[number]
		switch {
		case slices.Contains(present, id):
			i.Refuse(id, false, "its id is that of another order here")
		case slices.Contains(former, id):
			i.Refuse(id, false, "its id was that of another order here, which is deleted")
		case held && holder != id:
			i.Refuse(id, true, "its number %s is or was that of order %d here", number, holder)
		default:
			i.holders[number] = id
			admitted = append(admitted, there)
		}
	}
	return admitted, nil
}

const orderColumns = "id, customer_id, order_number, product_name, paid_at, state, version"

// insert stores orders, their numbers and the names of their products.
func (i *orderImport) insert(ctx context.Context, all []Elsewhere) error {
	names, numbers := make([]string, len(all)), make([]string, len(all))
	ids := map[string]uint64{}
	var args []any
	for n, there := range all {
		one := there.Value
		names[n], numbers[n], ids[one.OrderNumber] = one.ProductName, one.OrderNumber, one.ID
		args = append(args, one.ID, one.CustomerID, one.OrderNumber, one.ProductName, one.PaidAt, string(one.State), one.Version)
	}
	if err := i.naming.name(ctx, i.writer, names...); err != nil {
		return err
	}
	columns := strings.Count(orderColumns, ",") + 1
	if _, err := i.writer.ExecContext(ctx, "INSERT INTO orders ("+orderColumns+") VALUES "+tuples(len(all), columns), args...); err != nil {
		return err
	}
	slices.Sort(numbers)
	args = args[:0]
	for _, number := range numbers {
		args = append(args, number, ids[number])
	}
	// An order that was deleted and is taken again has its number here.
	_, err := i.writer.ExecContext(ctx, "INSERT IGNORE INTO order_numbers (order_number, order_id) VALUES "+tuples(len(all), 2), args...)
	return err
}

// noteBelow notes orders whose ids are below others that were there before. Processes that remember how many orders there were up to
// some id learn of it (libs/listing/listsql/counts.go).
func (i *orderImport) noteBelow(ctx context.Context, all []Elsewhere) error {
	highest, err := i.GetHighestOrder(ctx)
	if err != nil || uint64(highest) == all[len(all)-1].ID {
		return err
	}
	moves := make([]listsql.Move, len(all))
	for n, there := range all {
		moves[n] = moved(there.Value, 1)
	}
	return listsql.Note(ctx, i.writer, List, moves...)
}

// announce tells of many orders by one event, and admins by another one.
func (i *orderImport) announce(ctx context.Context, first, last uint64, count int) error {
	event, err := events.New(orders.Service, orders.EventImported, "", i.now, orders.ImportedData{
		From: drf.Name, FirstID: first, LastID: last, Count: count,
	})
	if err != nil {
		return err
	}
	if err := events.Append(ctx, i.writer, event); err != nil {
		return err
	}
	event, err = events.NewAudit(orders.Service, i.now, orders.AuditData{
		Action: string(audit.Import), Actor: 0, Subject: 0, Address: "", Outcome: string(audit.Success), RequestID: "",
		Detail: fmt.Sprintf("%d of orders %d to %d, from %s", count, first, last, drf.Name), Count: 1,
	})
	if err != nil {
		return err
	}
	return events.Append(ctx, i.writer, event)
}

// ReserveIDs has new orders get ids above one, unless there are such orders already. So the ids below stay free for orders that drf-oms
// still makes. It inserts a row there and removes it, because the service's user may not alter the table.
func (s *Store) ReserveIDs(ctx context.Context, last, reserve uint64) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		highest, err := sqlcgen.New(writer).GetHighestOrder(ctx)
		if err != nil || uint64(highest) > last {
			return err
		}
		const noNumber = "-" // which no order has
		_, err = writer.ExecContext(ctx, "INSERT INTO orders ("+orderColumns+") VALUES "+tuples(1, 7), last+reserve, 0, noNumber, "", s.now(), "", 1)
		if err != nil {
			return err
		}
		return sqlcgen.New(writer).DeleteOrder(ctx, last+reserve)
	})
}

// tuples are the marks of so many rows.
func tuples(rows, columns int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(one+", ", rows), ", ")
}
