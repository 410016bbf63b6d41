package events_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/events"
	"oms.internal/servers/testservers"
)

// sender appends events until it is stopped. Of an event whose transaction failed with an unknown outcome nothing is
// known; all others are told, or were refused.
type sender struct {
	mutex sync.Mutex
	told  []string
	end   chan struct{}
	ended sync.WaitGroup
}

func send(t *testing.T, db *database) *sender {
	t.Helper()
	sender := &sender{end: make(chan struct{})}
	sender.ended.Go(func() {
		for number := 0; ; number++ {
			select {
			case <-sender.end:
				return
			default:
			}
			event, err := events.New("accounts", "deleted", fmt.Sprint(number), time.Now(), nil)
			if err == nil {
				err = appendTo(t.Context(), db, event)
			}
			if err == nil {
				sender.mutex.Lock()
				sender.told = append(sender.told, event.ID)
				sender.mutex.Unlock()
			}
		}
	})
	return sender
}

func (s *sender) count() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.told)
}

func (s *sender) stop() []string {
	close(s.end)
	s.ended.Wait()
	return s.told
}

func TestNoEventIsMissingOrDoubledWhateverIsKilled(t *testing.T) {
	t.Parallel()
	pair := testservers.NewPair(t)
	world := worldOn(t, pair)
	db := world.open(t)
	log, lines := newLog()
	// One relay and one consumer stay; the others come and go.
	world.relay(t, world.open(t), log)
	testservers.Run(t, world.consumer(t, world.open(t), log, note).Run)
	sender := send(t, db)

	// more waits until so many more events were told.
	more := func() {
		wanted := sender.count() + 20
		require.Eventually(t, func() bool { return sender.count() >= wanted }, patient, patience)
	}
	for round := range 3 {
		more()
		relayed, consumed := world.open(t), world.open(t)
		stopRelay := world.relay(t, relayed, discard)
		conn := world.connect(t)
		killed := events.NewConsumer(consumed, conn, events.ConsumerOptions{
			Durable: "orders", Subject: events.SubjectOf("accounts", "deleted"), Log: discard,
		}, note)
		stopConsumer := testservers.Run(t, killed.Run)
		more()
		relayed.lose(1)  // between publishing and its note
		consumed.lose(1) // between the effect and the acknowledgement, and before the effect is committed
		more()
		conn.Close() // with effects that are committed and not acknowledged
		stopConsumer()
		stopRelay()
		require.NoError(t, world.nats.Kill(), "round %d", round)
		more()
		require.NoError(t, world.nats.Restart(t.Context()))
		more()
		require.NoError(t, pair.Primary.Kill())
		require.NoError(t, pair.Primary.Restart(t.Context()))
		more()
	}
	told := sender.stop()
	world.await(t, 0, waiting)
	require.Eventually(t, func() bool {
		return world.count(t, "(SELECT DISTINCT event_id FROM effect) AS handled") == world.count(t, "outbox")
	}, patient, 50*time.Millisecond)

	effects := map[string]int{}
	rows, err := world.root.QueryContext(t.Context(), "SELECT event_id FROM effect")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		effects[id]++
	}
	require.NoError(t, rows.Err())
	missing, doubled := 0, 0
	for _, id := range told {
		if effects[id] == 0 {
			missing++
		}
	}
	for _, count := range effects {
		if count > 1 {
			doubled++
		}
	}
	t.Logf("%d events acknowledged, %d in the stream, %d effects, %d missing, %d doubled; log: %v",
		len(told), len(world.ids(t)), len(effects), missing, doubled, lines.lines)
	require.Zero(t, missing)
	require.Zero(t, doubled)
}
