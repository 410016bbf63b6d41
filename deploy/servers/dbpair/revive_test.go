package dbpair

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

func always(proc.Command, time.Time) bool { return true }

// crash ends a server as nobody here does it: its record stays.
func crash(t *testing.T, server *Server) {
	t.Helper()
	process := server.instance.(*mariadbProcess).Process
	require.NoError(t, syscall.Kill(process.PID(), syscall.SIGKILL))
	require.NoError(t, proc.Poll(t.Context(), func() error {
		if process.Alive() {
			return os.ErrDeadlineExceeded
		}
		return nil
	}))
}

func revived(t *testing.T, options Options) (names []string) {
	t.Helper()
	pair, err := Open(options)
	require.NoError(t, err)
	servers, err := pair.Revive(t.Context(), always)
	require.NoError(t, err)
	for _, server := range servers {
		require.NoError(t, proc.Await(t.Context(), server.name, server, server.ping))
		require.Positive(t, server.Restarts())
		names = append(names, server.Name())
	}
	return names
}

func TestAServerThatCrashedComesBackInItsRoleAndNobodyIsPromoted(t *testing.T) {
	t.Parallel()
	options := detached(t)
	pair, err := Start(t.Context(), options)
	require.NoError(t, err)
	l := ledgerIn(t, pair)
	l.insert(t, pair.Primary, 1)
	require.Empty(t, revived(t, options), "nothing has ended")

	// The roles were exchanged since the servers started, so their configuration says another role than they have.
	require.NoError(t, pair.Failover(t.Context()))
	require.NoError(t, pair.Sync(t.Context()))
	crash(t, pair.Replica)
	require.Equal(t, []string{"primary"}, revived(t, options))
	crash(t, pair.Primary)
	require.Equal(t, []string{"replica"}, revived(t, options))
	l.pair, err = Open(options)
	require.NoError(t, err)
	require.NoError(t, l.pair.Orient(t.Context()))
	l.insert(t, l.pair.Primary, 2)
	require.NoError(t, l.pair.Sync(t.Context()))
	l.requireRoles(t, "replica", "1,2", 1)

	// Without an answer of the primary the replica may hold the only copy of what it has received.
	crash(t, l.pair.Primary)
	crash(t, l.pair.Replica)
	primary := filepath.Join(options.Dir, "replica", "data")
	require.NoError(t, os.Rename(primary, primary+".away"))
	_, err = l.pair.Revive(t.Context(), always)
	require.ErrorContains(t, err, "its data is away")
	require.NoDirExists(t, primary, "nobody makes an empty server")
	require.NoError(t, os.Rename(primary+".away", primary))
	servers, err := l.pair.Revive(t.Context(), func(command proc.Command, _ time.Time) bool { return command.Name == "primary" })
	require.NoError(t, err)
	require.Empty(t, servers)
	// The primary first, and the other one once the primary answers, which may be in the same call.
	both := revived(t, options)
	require.Equal(t, []string{"replica", "primary"}, append(both, revived(t, options)...))

	// Whoever was replaced stays where it is, until a rejoin.
	l.pair, err = Open(options)
	require.NoError(t, err)
	crash(t, l.pair.Primary)
	require.NoError(t, l.pair.Failover(t.Context()))
	require.Empty(t, revived(t, options))
}
