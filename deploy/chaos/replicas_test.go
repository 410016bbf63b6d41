package chaos

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/systemtest"
)

// leastShare is how many of the own reads that come more than a second after the member's last write go to the replica.
const leastShare = 0.8

// TestOwnReadsAreServedByTheReplicaASecondAfterTheWrite counts with the services' metrics, without any lag.
func TestOwnReadsAreServedByTheReplicaASecondAfterTheWrite(t *testing.T) {
	members := newMembers(t, crew())
	j := newJournal()
	var written sync.WaitGroup
	owned := make([]order, len(members))
	for i, m := range members {
		written.Go(func() { owned[i], _ = m.write(t.Context(), j, fmt.Sprintf("replica-%d", m.id)) })
	}
	written.Wait()
	require.Len(t, j.acknowledged, len(members))
	rest(t.Context(), time.Second)

	before := ownReads(t)
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	var reading sync.WaitGroup
	for i, m := range members {
		reading.Go(func() {
			for rest(ctx, 100*time.Millisecond) {
				m.list(t.Context(), j)
				m.read(t.Context(), j, owned[i])
			}
		})
	}
	reading.Wait()
	after := ownReads(t)
	replica, primary := after["replica"]-before["replica"], after["primary"]-before["primary"]
	served := replica / max(1, replica+primary)
	t.Logf("%.1f %% of %.0f own reads that are older than a second came from the replica", 100*served, replica+primary)
	require.Empty(t, j.stale)
	require.Positive(t, replica)
	if whole() { // on a busy machine the replica may be behind, and a server may be taken for one that hangs
		require.GreaterOrEqual(t, served, leastShare)
		require.Zero(t, j.count(failed), "%v", j.examples(5))
	}
}

var sample = regexp.MustCompile(`(?m)^mysql_reads_total\{(.*)\} (\S+)$`)

// ownReads sums the reads of both instances of orders that may go to a replica, by server.
func ownReads(t *testing.T) map[string]float64 {
	t.Helper()
	sums := map[string]float64{}
	for _, one := range world.orders {
		status, text, err := systemtest.Fetch(t.Context(), one.Admin+"/metrics")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		for _, found := range sample.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], `reason="latest"`) {
				continue // decisions on writes and the relay of events
			}
			value, err := strconv.ParseFloat(found[2], 64)
			require.NoError(t, err)
			for _, server := range []string{"primary", "replica"} {
				if strings.Contains(found[1], `server="`+server+`"`) {
					sums[server] += value
				}
			}
		}
	}
	require.NotEmpty(t, sums, "the services count their reads")
	return sums
}
