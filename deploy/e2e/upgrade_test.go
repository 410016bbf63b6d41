package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// upWith runs `make up` with other settings than the system runs with.
func upWith(t *testing.T, settings ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	command := system.Command(ctx, "up")
	command.Env = append(command.Env, settings...)
	printed, err := command.CombinedOutput()
	return string(printed), err
}

func TestAnUpgradeUnderLoadFailsNoRequestWithOneInstanceOfEachService(t *testing.T) {
	members := []member{signUp(t), signUp(t), signUp(t), signUp(t), signUp(t), signUp(t)}
	acknowledged := make([][]uint64, len(members))
	running := startLoad(t, len(members), func(i int) (bool, string) {
		for _, path := range []string{fmt.Sprintf("/accounts/users/%d", members[i].id), "/orders/?limit=5"} {
			if ok, what := succeeded(members[i].try(t.Context(), http.MethodGet, path, nil)); !ok {
				return ok, path + ": " + what
			}
		}
		got, err := members[i].try(t.Context(), http.MethodPost, "/orders/", newOrder("while all is replaced"))
		if err != nil || got.status != http.StatusCreated {
			_, what := succeeded(got, err)
			return false, what
		}
		acknowledged[i] = append(acknowledged[i], idOf(got.body))
		return true, ""
	})
	requireGoesOn(t, running, 50)
	before := pids(t)
	output, err := upWith(t, "LOG_LEVEL=debug")
	require.NoError(t, err, output)
	requireGoesOn(t, running, 50)
	after := pids(t)
	for name := range before {
		require.NotEqual(t, before[name], after[name])
		require.Contains(t, output, name+" was replaced while it served, because of settings")
	}

	// A release that does not start leaves the one that serves.
	output, err = upWith(t, "REQUEST_TIMEOUT=-1s")
	require.Error(t, err)
	require.Contains(t, output, "REQUEST_TIMEOUT: -1s is not positive")
	require.Contains(t, output, "that ran before goes on")
	require.Equal(t, after, pids(t))
	requireGoesOn(t, running, 50)

	oms(t, "up")
	requireGoesOn(t, running, 50)
	running.end()
	t.Logf("%d rounds of 3 requests, %d failed", running.sent.Load(), running.failed.Load())
	require.Zero(t, running.failed.Load(), "%v", running.example.Load())
	for i, own := range members {
		listed := ordersOf(t, own)
		for _, id := range acknowledged[i] {
			require.True(t, listed[id], "order %d was acknowledged", id)
		}
	}
}
