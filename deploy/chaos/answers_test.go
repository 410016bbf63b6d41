package chaos

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// longestAnswer is more than an answer to a POST has, so that some arrive whole.
const longestAnswer = 1400

// TestOrdersWhoseAnswersAreCutAreMadeOnce cuts the answers anywhere between the first byte and the last; the clients
// repeat their requests with the same key, up to five times.
func TestOrdersWhoseAnswersAreCutAreMadeOnce(t *testing.T) {
	posts := share(t, variableAnswers, 300)
	above, err := world.databases.lastOrder(t.Context())
	require.NoError(t, err)
	members := newMembers(t, 16)
	clients, err := world.links.open("clients to gateway", world.gateways[0].URL[len("http://"):])
	require.NoError(t, err)
	t.Cleanup(clients.proxy.Stop)
	require.NoError(t, clients.disturb("cut", "downstream", 1, cutToxic{Most: longestAnswer}))

	l := &load{journal: newJournal(), members: members, above: above}
	var left atomic.Int64
	left.Store(int64(posts))
	began := time.Now()
	var posting sync.WaitGroup
	for _, m := range members {
		// Each request has a connection of its own, since the limit is drawn for each connection.
		direct := m.gateways
		m.gateways, m.http = []string{"http://" + clients.addr()}, &http.Client{
			Timeout: clientTimeout, Transport: checks.Transport(&http.Transport{DisableKeepAlives: true}),
		}
		posting.Go(func() {
			for number := left.Add(-1); number >= 0; number = left.Add(-1) {
				m.write(t.Context(), l.journal, fmt.Sprintf("cut-%d-%d", above, number))
			}
			m.gateways = direct
		})
	}
	posting.Wait()
	clients.heal(context.WithoutCancel(t.Context()))

	result := l.verify(t)
	j := l.journal
	t.Logf("%d orders, %d requests in %.0f s: %d answers cut, %d acknowledged, %d of them replayed, %d unknown after %d retries; %d doubled, %d lost",
		posts, len(j.attempts), time.Since(began).Seconds(), j.count(failed), len(j.acknowledged), j.replayed, j.givenUp, retries,
		len(result.doubled), len(result.lost))
	result.requireNone(t)
	require.Greater(t, j.count(failed), posts/4, "answers were cut")
	require.NotZero(t, j.replayed, "answers were given again")
}
