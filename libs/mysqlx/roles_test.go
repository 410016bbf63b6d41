package mysqlx_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/servers/dbpair"
)

// setReadOnly changes the role of a server.
func setReadOnly(t *testing.T, server *dbpair.Server, value string) {
	t.Helper()
	_, err := rootOf(t, server).ExecContext(t.Context(), "SET GLOBAL read_only = "+value)
	require.NoError(t, err)
}

func (s schema) twoPrimaries(t *testing.T) {
	cluster := s.cluster(t)
	s.replication(t, "STOP")
	setReadOnly(t, s.pair.Replica, "OFF")
	awaitRefusal(t, cluster, "more than one server is writable in epoch 0")
	require.True(t, fault.Is(cluster.Write(t.Context(), insert(9, "lost")), fault.Unavailable))
	require.NotContains(t, s.names(t), "lost")
}

// promotion goes on where twoPrimaries ended: the old primary gives up its role.
func (s schema) promotion(t *testing.T) {
	cluster := run(t, s.config())
	setReadOnly(t, s.pair.Primary, "ON")
	eventually(t, func() bool { return cluster.Write(t.Context(), insert(10, "promoted")) == nil })
	require.NotContains(t, s.names(t), "promoted", "it is on the other server")
}

func TestUntilEveryServerWasLookedAtThereIsNoPrimary(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, silent.Close()) }()
	began := time.Now()
	cluster := schema.cluster(t, schema.pair.Primary.Addr(), silent.Addr().String())
	require.GreaterOrEqual(t, time.Since(began), 400*time.Millisecond, "one that does not answer might be the primary")
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
}
