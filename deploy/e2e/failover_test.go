package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
	for {
		page := own.do(t, http.MethodGet, fmt.Sprintf("/orders/?ordering=id&limit=500&offset=%d", len(ids)), nil)
		require.Equal(t, http.StatusOK, page.status, page.text)
		for _, order := range page.body["results"].([]any) {
			ids[idOf(order)] = true
		}
		if page.body["next"] == nil {
			return ids
		}
	}
}

func TestARestoreBringsBackWhatTheBackupHoldsAndNothingElse(t *testing.T) {
	own := signUp(t)
	kept := own.do(t, http.MethodPost, "/orders/", newOrder("무색소 천연가루 마카롱 🍤"))
	require.Equal(t, http.StatusCreated, kept.status, kept.text)
	file := filepath.Join(t.TempDir(), "oms.sql")
	oms(t, "backup", "--file", file)

	path := fmt.Sprintf("/orders/%d", idOf(kept.body))
	require.Equal(t, http.StatusNoContent, own.do(t, http.MethodDelete, path, nil).status)
	later := own.do(t, http.MethodPost, "/orders/", newOrder("after the backup"))
	require.Equal(t, http.StatusCreated, later.status, later.text)

	require.Error(t, tryOMS(t, "restore", "--file", file), "there is data")
	require.Equal(t, http.StatusNotFound, own.do(t, http.MethodGet, path, nil).status)
	oms(t, "restore", "--file", file, "--force")
	got := own.do(t, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.Equal(t, kept.body["product_name"], got.body["product_name"])
	require.Len(t, ordersOf(t, own), 1)
	require.Equal(t, http.StatusCreated, own.do(t, http.MethodPost, "/orders/", newOrder("afterwards")).status)
	oms(t, "replication")
}
