package chaos

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load is members that order and look at their orders, at a rate that does not wait for the answers.
type load struct {
	journal *journal
	members []*member
	above   uint64 // the highest id of an order before
	stop    context.CancelFunc
	running sync.WaitGroup
}

// startLoad starts it with so many writes each second, each followed by two reads.
func startLoad(t *testing.T, members []*member, rate int) *load {
	t.Helper()
	above, err := world.databases.lastOrder(t.Context())
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	l := &load{journal: newJournal(), members: members, above: above, stop: stop}
	t.Cleanup(l.end)
	// What could not be sent while everybody waited is sent afterwards, but at most half a second's worth of writes.
	due := make(chan struct{}, max(1, rate/2))
	l.running.Go(func() { beat(ctx, rate, due) })
	prefix := strings.ToLower(rand.Text()[:8])
	for i, m := range members {
		// A round that has begun is finished, so that the end of the load is no failure of the system.
		l.running.Go(func() {
			for number := 0; ; number++ {
				select {
				case <-ctx.Done():
					return
				case <-due:
				}
				l.round(context.WithoutCancel(ctx), m, fmt.Sprintf("%s-%d-%d", prefix, i, number))
			}
		})
	}
	return l
}

func (l *load) round(ctx context.Context, m *member, product string) {
	if own, ok := m.write(ctx, l.journal, product); ok {
		m.list(ctx, l.journal)
		m.read(ctx, l.journal, own)
	}
}

// beat says that a write is due, so many times each second. It counts by the clock, because a busy machine drops ticks.
func beat(ctx context.Context, rate int, due chan<- struct{}) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	began, said := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for ; said < int(time.Since(began).Seconds()*float64(rate)); said++ {
			select {
			case due <- struct{}{}:
			default:
			}
		}
	}
}

// end stops the load and waits for the answers that it waits for.
func (l *load) end() {
	l.stop()
	l.running.Wait()
}

// verdict is what the checker found.
type verdict struct {
	lost, doubled, stale, unexpected []string
}

// verify compares what the members were told with what the primary holds, and with what the members are shown now.
func (l *load) verify(t *testing.T) verdict {
	t.Helper()
	stored, err := world.databases.orders(t.Context(), l.above)
	require.NoError(t, err)
	j := l.journal
	result := verdict{doubled: j.conflicting, stale: j.stale, unexpected: j.unexpected}
	for product, ids := range stored {
		if len(ids) > 1 {
			result.doubled = append(result.doubled, fmt.Sprintf("%s is %v", product, ids))
		}
	}
	shown := map[uint64]bool{}
	for _, m := range l.members {
		ids, err := m.all(t.Context(), l.above)
		require.NoError(t, err)
		for _, id := range ids {
			shown[id] = true
		}
	}
	for product, told := range j.acknowledged {
		ids := stored[product]
		switch {
		case len(ids) == 0:
			result.lost = append(result.lost, fmt.Sprintf("%s, order %d, acknowledged %s", product, told.id, told.at.Format(time.StampMilli)))
		case ids[0] != told.id && len(ids) == 1:
			result.lost = append(result.lost, fmt.Sprintf("%s was acknowledged as order %d and is %d", product, told.id, ids[0]))
		case !shown[told.id]:
			result.lost = append(result.lost, fmt.Sprintf("%s, order %d, is not shown to its member", product, told.id))
		}
	}
	return result
}

// all reads the ids of the member's orders above an id through the API, the newest first.
func (m *member) all(ctx context.Context, above uint64) ([]uint64, error) {
	var ids []uint64
	for offset := 0; ; offset += 500 {
		url := fmt.Sprintf("%s/orders/?limit=500&ordering=-id&offset=%d", m.gateways[0], offset)
		got, err := m.send(ctx, http.MethodGet, url, nil, nil)
		if err != nil {
			return nil, err
		}
		var shown page
		if err := json.Unmarshal(got.body, &shown); err != nil || got.status != http.StatusOK {
			return nil, fmt.Errorf("read back: %d %s", got.status, got.body)
		}
		for _, one := range shown.Results {
			if one.ID <= above {
				return ids, nil
			}
			ids = append(ids, one.ID)
		}
		if len(shown.Results) == 0 {
			return ids, nil
		}
	}
}
