package e2e

import (
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	typed "oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

func TestAFailoverLosesNoAcknowledgedOrderAndNeedsNoRestart(t *testing.T) {
	members := []member{signUp(t), signUp(t), signUp(t), signUp(t)}
	acknowledged := make([][]uint64, len(members))
	var last sync.Map // by member: when an order was acknowledged last
	running := startLoad(t, len(members), func(i int) (bool, string) {
		got, err := members[i].try(t.Context(), http.MethodPost, "/orders/", newOrder("before, during and after"))
		if err != nil || got.status != http.StatusCreated {
			return succeeded(got, err)
		}
		acknowledged[i] = append(acknowledged[i], idOf(got.body))
		last.Store(i, time.Now())
		return true, ""
	})
	requireGoesOn(t, running, 200)
	services := func() [2]int {
		return [2]int{process(t, "run", "orders.json").PID(), process(t, "run", "accounts.json").PID()}
	}
	before := services()

	began := time.Now()
	require.NoError(t, process(t, "mariadb", "primary", "process.json").Kill())
	oms(t, "failover")
	promoted := time.Now()
	require.Eventually(t, func() bool {
		for i := range members {
			if at, ok := last.Load(i); !ok || at.(time.Time).Before(promoted) {
				return false
			}
		}
		return true
	}, patience, time.Millisecond)
	t.Logf("the failover took %v, all clients order again after %v", promoted.Sub(began), time.Since(began))
	require.Error(t, tryOMS(t, "failover"), "there is no server to promote")

	oms(t, "rejoin")
	requireGoesOn(t, running, 200)
	// Both answer now: the roles go back without any order being lost.
	oms(t, "failover")
	requireGoesOn(t, running, 200)
	running.end()
	require.Equal(t, before, services())

	for i, own := range members {
		listed := ordersOf(t, own)
		for _, id := range acknowledged[i] {
			require.True(t, listed[id], "order %d was acknowledged", id)
		}
		t.Logf("%d orders acknowledged, %d listed", len(acknowledged[i]), len(listed))
	}
	oms(t, "up")
	oms(t, "poc") // compares the servers
}

// ordersOf are the ids of a member's orders.
func ordersOf(t *testing.T, own member) map[uint64]bool {
	t.Helper()
	ids := map[uint64]bool{}
	for order, err := range own.typed(t, nil).Orders(t.Context(), &api.ListOrdersParams{Limit: new(api.Limit(500))}) {
		require.NoError(t, err)
		ids[uint64(order.ID)] = true
	}
	return ids
}

func TestARestoreBringsBackWhatTheBackupHoldsAndNothingElse(t *testing.T) {
	own := signUp(t)
	c, ctx := own.typed(t, nil), t.Context()
	kept, err := c.CreateOrder(ctx, api.NewOrder{ProductName: "무색소 천연가루 마카롱 🍤"}, nil)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "oms.sql")
	oms(t, "backup", "--file", file)

	require.NoError(t, c.DeleteOrder(ctx, kept.ID, nil))
	_, err = c.CreateOrder(ctx, api.NewOrder{ProductName: "after the backup"}, nil)
	require.NoError(t, err)

	require.Error(t, tryOMS(t, "restore", "--file", file), "there is data")
	_, err = c.GetOrder(ctx, kept.ID, nil)
	var refusal *typed.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, fault.NotFound, refusal.Code)
	oms(t, "restore", "--file", file, "--force")
	got, err := c.GetOrder(ctx, kept.ID, nil)
	require.NoError(t, err)
	require.Equal(t, kept.Order, got.Order)
	require.Len(t, ordersOf(t, own), 1)
	_, err = c.CreateOrder(ctx, api.NewOrder{ProductName: "afterwards"}, nil)
	require.NoError(t, err)
	oms(t, "replication")
}
