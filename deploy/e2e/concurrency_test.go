package e2e

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// atOnce sends the same request from several clients at the same moment and returns the statuses, sorted.
func atOnce(t *testing.T, clients int, send func() answer) []int {
	t.Helper()
	statuses := make([]int, clients)
	start := make(chan struct{})
	var waiting sync.WaitGroup
	for i := range clients {
		waiting.Go(func() {
			<-start
			statuses[i] = send().status
		})
	}
	close(start)
	waiting.Wait()
	slices.Sort(statuses)
	return statuses
}

func TestOfTwoSignUpsWithOneEmailAtOnceOneWins(t *testing.T) {
	t.Parallel()
	for range 5 {
		body := newMember(unique() + "@e2e.test")
		statuses := atOnce(t, 2, func() answer { return newClient().do(t, http.MethodPost, "/accounts/users", body) })
		require.Equal(t, []int{http.StatusCreated, http.StatusBadRequest}, statuses)
	}
}

func TestOfTwoOrdersWithOneNumberAtOnceOneWins(t *testing.T) {
	t.Parallel()
	buyer := signUp(t)
	for _, number := range []string{"A00000000001", "A00000000002", "A00000000003", "A00000000004", "A00000000005"} {
		body := map[string]any{"product_name": "p", "order_number": number}
		statuses := atOnce(t, 2, func() answer { return buyer.do(t, http.MethodPost, "/orders/", body) })
		require.Equal(t, []int{http.StatusCreated, http.StatusBadRequest}, statuses)
	}
	list := buyer.do(t, http.MethodGet, "/orders/", nil)
	require.InDelta(t, 5, list.body["count"], 0)
}
