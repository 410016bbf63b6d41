// Package imports brings the orders of a drf-oms database into the store. It knows the table of drf-oms, and which of its rows can be orders
// here. What happens to the rows is the store's.
package imports

import (
	"context"
	"database/sql"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/drf"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
)

// Members tells which of some members of drf-oms are here: natsapi.Members.
type Members interface {
	Imported(ctx context.Context, ids []uint64) ([]uint64, error)
}

// Orders is the table of drf-oms's orders. What it takes ends up in the store. Its customers must be here before.
func Orders(to *store.Store, members Members) *drf.Table[uint64] {
	return &drf.Table[uint64]{
		Name:  "order",
		Count: "SELECT COUNT(*) FROM orders_order",
		Query: "SELECT id, customer_id, order_number, product_name, paymented_at FROM orders_order ORDER BY id",
		Key:   drf.ParseID,
		Known: to.OrdersAfter,
		Apply: func(ctx context.Context, batch []drf.Difference[uint64], dry bool) (drf.Result, error) {
			all := make([]store.Elsewhere, len(batch))
			for i, difference := range batch {
				all[i] = store.Elsewhere{Kind: difference.Kind, ID: difference.Key, Source: difference.Source}
				if difference.Kind == drf.Gone {
					continue
				}
				var err error
				if all[i].Value, err = readOrder(difference.Key, difference.Fields); err != nil {
					all[i].Problem = err.Error()
				}
			}
			lacking, err := askForCustomers(ctx, members, all)
			if err != nil {
				return drf.Result{}, err
			}
			for _, i := range lacking {
				if !dry {
					all[i].Problem = fmt.Sprintf("its customer %d was not imported, or is not here any more", all[i].Value.CustomerID)
				}
			}
			result, err := to.ImportOrders(ctx, all, dry)
			if dry {
				result.Waiting = len(lacking)
			}
			return result, err
		},
	}
}

// askForCustomers returns the places of the orders of members who are not here.
func askForCustomers(ctx context.Context, members Members, all []store.Elsewhere) (lacking []int, err error) {
	asked := map[uint64]bool{}
	var ids []uint64
	for _, there := range all {
		if id := there.Value.CustomerID; id != 0 && !asked[id] {
			asked[id] = true
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	imported, err := members.Imported(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("ask accounts, which must run, for customers: %w", err)
	}
	here := map[uint64]bool{}
	for _, id := range imported {
		here[id] = true
	}
	for i, there := range all {
		if there.Kind != drf.Gone && there.Problem == "" && !here[there.Value.CustomerID] {
			lacking = append(lacking, i)
		}
	}
	return lacking, nil
}

// readOrder makes an order of a row. It is paid, as all orders of drf-oms are.
func readOrder(id uint64, fields []sql.NullString) (read order.Order, err error) {
	read = order.Order{ID: id, OrderNumber: fields[2].String, ProductName: composed(fields[3].String), State: order.Paid, Version: 1}
	if read.CustomerID, err = drf.ParseID(fields[1].String); err != nil {
		return read, fmt.Errorf("its customer: %w", err)
	}
	if len(read.OrderNumber) != order.NumberLength || !order.NumberPattern.MatchString(read.OrderNumber) {
		return read, fmt.Errorf("its number %q has not %d characters from 0-9 and A-Z", read.OrderNumber, order.NumberLength)
	}
	if !utf8.ValidString(read.ProductName) || utf8.RuneCountInString(read.ProductName) > order.MaxProductName {
		return read, fmt.Errorf("the name of its product is longer than %d characters, or no text", order.MaxProductName)
	}
	if read.PaidAt, err = drf.ParseTime(fields[4].String); err != nil {
		return read, fmt.Errorf("it was paid at %w", err)
	}
	return read, nil
}

// composed is the form in which names of products are stored. Where there is no room for it, the name stays as it is.
func composed(name string) string {
	if nfc := norm.NFC.String(name); utf8.RuneCountInString(nfc) <= order.MaxProductName {
		return nfc
	}
	return name
}
