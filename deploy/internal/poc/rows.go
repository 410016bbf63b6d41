package poc

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/stack"
)

// replicaPatience is how long the replica may take to receive what the walk-through wrote.
const replicaPatience = 5 * time.Second

// compareServers compares the rows that this run made on both servers, in all columns.
func (w *walk) compareServers(ctx context.Context, s stack.Stack) error {
	servers, err := database.Open(s)
	if err != nil {
		return err
	}
	defer database.Close(servers) //nolint:errcheck // nothing was written
	var members, orders []json.Number
	for _, member := range w.members {
		members = append(members, member.ID)
	}
	for _, order := range w.orders {
		orders = append(orders, order.ID)
	}
	for _, table := range []struct {
		name string
		ids  []json.Number
	}{{"accounts.members", members}, {"orders.orders", orders}} {
		w.client.title("the same rows of " + table.name + " on both servers")
		if err := w.compareTable(ctx, servers, table.name, table.ids); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) compareTable(ctx context.Context, servers []database.Server, table string, ids []json.Number) error {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	query := fmt.Sprintf("SELECT * FROM %s WHERE id IN (%s) ORDER BY id", table, marks)
	arguments, shown := make([]any, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		arguments[i], shown[i] = id.String(), id.String()
	}
	w.client.print("   > SELECT * FROM %s WHERE id IN (%s)", table, strings.Join(shown, ", "))
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(replicaPatience); ; {
		var results [2][]database.Row
		for i, server := range servers {
			rows, err := database.Rows(ctx, server.DB, query, arguments...)
			if err != nil {
				return fmt.Errorf("%s: %w", server.Name, err)
			}
			results[i] = rows
		}
		same := len(results[0]) == len(ids) && reflect.DeepEqual(results[0], results[1])
		if same || time.Now().After(end) {
			for i, server := range servers {
				w.client.print("   < %s %s: %d rows", server.Name, server.Addr, len(results[i]))
			}
			if !same {
				return fmt.Errorf("the rows of %s differ between the servers, or are not %d", table, len(ids))
			}
			w.client.print("   = equal in every column")
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
