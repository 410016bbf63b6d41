package dbpair

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

// cutOff is an engine that ends the goroutine, as the end of its process would, at one of the moments between calls that
// change servers.
type cutOff struct {
	engine
	passed, at int
}

func (c *cutOff) pass(err error) error {
	if c.passed == c.at {
		runtime.Goexit()
	}
	c.passed++
	return err
}

func (c *cutOff) setReadOnly(ctx context.Context, server *Server, readOnly bool) error {
	_ = c.pass(nil) // the epoch is raised before one of these, and by no engine
	return c.pass(c.engine.setReadOnly(ctx, server, readOnly))
}

func (c *cutOff) drain(ctx context.Context, db *sql.DB) error { return c.pass(c.engine.drain(ctx, db)) }

func (c *cutOff) caughtUp(ctx context.Context, pair *Pair) error {
	return c.pass(c.engine.caughtUp(ctx, pair))
}

func (c *cutOff) record(primary *Server) error { return c.pass(c.engine.record(primary)) }

// cutFailover makes a failover end at a call and says whether it came so far.
func cutFailover(t *testing.T, pair *Pair, at int) (cut bool) {
	t.Helper()
	own := pair.engine
	pair.engine = &cutOff{engine: own, at: at}
	defer func() { pair.engine = own }()
	ended := make(chan struct{})
	cut = true
	go func() {
		defer close(ended)
		_ = pair.Failover(t.Context())
		cut = false
	}()
	<-ended
	return cut
}

func detached(t *testing.T) Options {
	t.Helper()
	options := Options{Detached: true, Dir: filepath.Join(t.TempDir(), "pair"), RootPassword: "Root1", ReplicatorPassword: "Replicator1"}
	for _, port := range []*int{&options.PrimaryPort, &options.ReplicaPort} {
		var err error
		*port, err = proc.FreePort()
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		pair, err := Open(options)
		require.NoError(t, err)
		require.NoError(t, pair.Close())
	})
	return options
}

// TestAFailoverThatIsCutOffAnywhereIsCompletedByTheNextAlsoAfterAStart: whatever happened before, a start either finds a
// primary or says what to do, and that does it.
func TestAFailoverThatIsCutOffAnywhereIsCompletedByTheNextAlsoAfterAStart(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"both answer": false, "the primary is lost, with a transaction of its own": true} {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted: %v", name, restarted), func(t *testing.T) {
				t.Parallel()
				options := detached(t)
				pair, err := Start(t.Context(), options)
				require.NoError(t, err)
				l := ledgerIn(t, pair)
				for at, cut := 0, true; cut; at++ {
					l.insert(t, pair.Primary, 2*at)
					require.NoError(t, pair.Sync(t.Context()))
					if lost {
						require.NoError(t, pair.Replica.exec(t.Context(), "STOP SLAVE IO_THREAD"))
						require.NoError(t, pair.Primary.exec(t.Context(), "CREATE DATABASE stray_"+fmt.Sprint(at)))
						require.NoError(t, pair.Replica.exec(t.Context(), "STOP SLAVE"))
						require.NoError(t, pair.Primary.Kill())
						require.NoError(t, pair.Replica.exec(t.Context(), "START SLAVE"))
					}
					cut = cutFailover(t, pair, at)
					if restarted {
						require.NoError(t, pair.Stop(t.Context()))
					}
					_, startErr := Start(t.Context(), options)
					pair, err = Open(options)
					require.NoError(t, err)
					l.pair = pair
					if startErr != nil {
						require.ErrorContains(t, startErr, "make failover", "cut off at %d", at)
						if err := pair.Failover(t.Context()); err != nil {
							require.ErrorContains(t, err, "does not follow it; rejoin", "cut off at %d", at)
						}
					}
					require.NoError(t, pair.Orient(t.Context()))
					require.NoError(t, pair.Rejoin(t.Context()), "cut off at %d", at)
					l.insert(t, pair.Primary, 2*at+1)
					require.NoError(t, pair.Sync(t.Context()))
					var want []string
					for id := range 2*at + 2 {
						want = append(want, fmt.Sprint(id))
					}
					require.Equal(t, strings.Join(want, ","), l.ids(t, pair.Replica), "cut off at %d", at)
				}
			})
		}
	}
}
