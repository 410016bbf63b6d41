package events

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// written is a database that only tells of writes.
type written struct {
	Database
	writes chan struct{}
}

func (w written) Written() <-chan struct{} { return w.writes }

func TestTheRelayLooksAtTheOutboxSoonAfterAWriteAndElseOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database := written{writes: make(chan struct{}, 1)}
		relay := &Relay{db: database}
		began := time.Now()
		relay.rest(t.Context())
		require.Equal(t, longestPause, time.Since(began))

		database.writes <- struct{}{}
		began = time.Now()
		relay.rest(t.Context())
		require.Equal(t, shortestPause, time.Since(began))

		began = time.Now()
		time.AfterFunc(longestPause/2, func() { database.writes <- struct{}{} })
		relay.rest(t.Context())
		require.Equal(t, longestPause/2, time.Since(began))
	})
}
