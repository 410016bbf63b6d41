package poc

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/stack"
	"oms.internal/libs/client/api"
)

const (
	// replicaPatience is how long the replica may take to receive what the walk-through wrote.
	replicaPatience = 30 * time.Second
	replicaPoll     = 50 * time.Millisecond
)

// compareServers compares the rows that this run made on both servers, in all columns.
func (w *walk) compareServers(ctx context.Context, s stack.Stack) error {
	servers, err := database.Open(s)
	if err != nil {
		return err
	}
	defer database.Close(servers) //nolint:errcheck // nothing was written
	var members, orders []api.ID
	for _, member := range w.members {
		members = append(members, member.ID)
	}
	for _, order := range w.orders {
		orders = append(orders, order.ID)
	}
	if err := w.compareTable(ctx, servers, "accounts.members", members); err != nil {
		return err
	}
	return w.compareTable(ctx, servers, "orders.orders", orders)
}

// compareTable waits until both servers have the rows with these ids, and the same values in them.
func (w *walk) compareTable(ctx context.Context, servers []database.Server, table string, ids []api.ID) error {
	w.transcript.title("the same rows of %s on both servers", table)
	var marks, shown []string
	var values []any
	for _, id := range ids {
		marks, shown, values = append(marks, "?"), append(shown, fmt.Sprint(id)), append(values, id)
	}
	query := fmt.Sprintf("SELECT * FROM %s WHERE id IN (%s) ORDER BY id", table, strings.Join(marks, ", "))
	w.transcript.print("   > SELECT * FROM %s WHERE id IN (%s)", table, strings.Join(shown, ", "))
	ctx, cancel := context.WithTimeout(ctx, replicaPatience)
	defer cancel()
	for {
		var rows [2][]database.Row
		for i, server := range servers {
			var err error
			if rows[i], err = database.Rows(ctx, server.DB, query, values...); err != nil {
				return fmt.Errorf("%s: the rows of %s: %w", server.Name, table, err)
			}
		}
		if len(rows[0]) == len(ids) && reflect.DeepEqual(rows[0], rows[1]) {
			for i, server := range servers {
				w.transcript.print("   < %s %s: %d rows", server.Name, server.Addr, len(rows[i]))
			}
			w.transcript.print("   = equal in every column")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: the primary has %d rows and the replica %d of %d, or they differ: %w",
				table, len(rows[0]), len(rows[1]), len(ids), ctx.Err())
		case <-time.After(replicaPoll):
		}
	}
}
