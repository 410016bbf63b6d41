package mysqlx_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
)

// clock is a time that moves when it is told to.
type clock struct {
	mutex sync.Mutex
	time  time.Time
}

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.time
}

func (c *clock) advance(duration time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.time = c.time.Add(duration)
}

func TestAWriteIsRememberedUntilEveryReplicaInUseHasIt(t *testing.T) {
	t.Parallel()
	clock := &clock{time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	recent := mysqlx.NewRecentWrites(clock.now)
	require.False(t, recent.Wrote(7))
	recent.Mark(7)
	require.True(t, recent.Wrote(7))
	require.False(t, recent.Wrote(8), "others may read from a replica")

	clock.advance(mysqlx.MaxLag)
	require.True(t, recent.Wrote(7), "the lag that is allowed, and the time to notice a greater one")
	recent.Mark(7)
	clock.advance(mysqlx.MaxLag)
	require.True(t, recent.Wrote(7), "the last write counts")
	clock.advance(mysqlx.MaxLag)
	require.False(t, recent.Wrote(7))
}

func TestManyMembersMayWriteAtOnceAndAreForgottenOneByOne(t *testing.T) {
	t.Parallel()
	clock := &clock{time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	recent := mysqlx.NewRecentWrites(clock.now)
	var group sync.WaitGroup
	for member := range uint64(100) {
		group.Go(func() { recent.Mark(member) })
	}
	group.Wait()
	clock.advance(mysqlx.MaxLag)
	recent.Mark(1000)
	clock.advance(mysqlx.MaxLag)
	recent.Mark(1001) // this one cleans up
	for member := range uint64(100) {
		require.False(t, recent.Wrote(member))
	}
	require.True(t, recent.Wrote(1000))
	require.True(t, recent.Wrote(1001))
}
