package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/testservers"
)

// The primary dies while orders are made, and the replica takes its place. Every request is repeated under its key until it
// is answered, and every acknowledged order is looked for at once.
func TestOrdersSurviveTheLossOfThePrimary(t *testing.T) {
	pair := testservers.NewPair(t)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	p := startOn(t, pair, schema)
	require.NoError(t, pair.Sync(t.Context()))

	const clients = 4
	var acknowledged atomic.Int64
	stop := make(chan struct{})
	stopAll := sync.OnceFunc(func() { close(stop) })
	defer stopAll()
	failures := make(chan string, clients)
	var ordering sync.WaitGroup
	for client := range clients {
		from := p.as(t, uint64(client+100))
		ordering.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				number := fmt.Sprintf("LOSS%d%07d", client, i)
				if failure := from.insist(t.Context(), number); failure != "" {
					failures <- failure
					return
				}
				acknowledged.Add(1)
			}
		})
	}
	more := func() {
		until := acknowledged.Load() + 40
		require.Eventually(t, func() bool { return acknowledged.Load() >= until || len(failures) > 0 }, patience, poll)
	}
	more()
	require.NoError(t, pair.Primary.Kill())
	require.NoError(t, pair.Failover(t.Context()))
	more()
	stopAll()
	ordering.Wait()
	close(failures)
	for failure := range failures {
		require.Fail(t, "an order was lost or doubled", failure)
	}
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	for _, table := range []string{"orders", "order_timeline", "outbox", "idempotency_keys"} {
		var count int64
		require.NoError(t, root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&count))
		require.Equal(t, acknowledged.Load(), count, table)
	}
}

// insist makes an order, repeats the request until it is answered, and then looks for it. It returns what went wrong.
func (c caller) insist(ctx context.Context, number string) string {
	sent := keyed(number, fmt.Sprintf(`{"order_number": %q, "product_name": "p"}`, number))
	made, err := c.try(ctx, sent)
	for ; err == nil && made.status != http.StatusCreated; made, err = c.try(ctx, sent) {
		if made.status < http.StatusInternalServerError && made.status != http.StatusConflict {
			return fmt.Sprint(number, " ", made.status, made.text)
		}
	}
	if err != nil {
		return err.Error()
	}
	query := message{method: http.MethodGet, path: "/orders/?ordering=-id&limit=1"}
	found, err := c.try(ctx, query)
	for ; err == nil && found.status >= http.StatusInternalServerError; found, err = c.try(ctx, query) {
	}
	if err != nil {
		return err.Error()
	}
	results, _ := found.body["results"].([]any)
	if len(results) != 1 || results[0].(map[string]any)["order_number"] != number {
		return number + " is not the newest order: " + found.text
	}
	return ""
}
