package testservers

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Run runs a part of a process in the background until the test ends or stop is called. The part must then end without an error.
func Run(t testing.TB, part func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- part(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(t, <-ended) // stop may be called beside the test
	})
	t.Cleanup(stop)
	return stop
}
