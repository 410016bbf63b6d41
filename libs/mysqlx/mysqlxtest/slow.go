package mysqlxtest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

// slowPlaces is how many slow reads run and wait at the same time, and slowRuns how many of them run.
const slowPlaces, slowRuns = 36, 4

// RequireSlow demands that the slow reads share their few places: they are refused while all are taken. None of the quick reads may
// be.
func (d Database) RequireSlow(t *testing.T, slow []func() error, quick map[string]func() error) {
	t.Helper()
	release := make(chan struct{})
	var begun, ended sync.WaitGroup
	for member := range uint64(slowRuns) {
		begun.Add(1)
		ended.Go(func() {
			_ = d.Cluster.ReadSlowly(fairshare.Into(t.Context(), member+1), func(context.Context, mysqlx.Reader) error {
				begun.Done()
				<-release
				return nil
			})
		})
	}
	begun.Wait()
	defer ended.Wait()
	defer close(release)
	const tries = 2 * slowPlaces // those that find a place wait in it until they are refused, too
	refusals := make(chan error, tries)
	for i := range tries {
		go func() { refusals <- slow[i%len(slow)]() }()
	}
	for range tries {
		err := <-refusals
		require.True(t, fault.Is(err, fault.Unavailable) || fault.Is(err, fault.TooManyRequests), "%v", err)
		require.Positive(t, fault.Of(err).RetryAfter)
	}
	for name, read := range quick {
		require.NoError(t, read(), name)
	}
}
