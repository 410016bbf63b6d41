package proc

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFreePortCanBeListenedOnAndIsKeptFromAllOtherCallers(t *testing.T) {
	port, err := FreePort()
	require.NoError(t, err)
	for range 2 { // a server that is stopped and started again
		listener, err := net.Listen("tcp", Loopback(port))
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		// What keeps calls in other processes from it: the system gives this socket to one process only.
		_, err = net.ListenPacket("udp", Loopback(port))
		require.Error(t, err)
	}
	seen := map[int]bool{port: true}
	for range 100 {
		another, err := FreePort()
		require.NoError(t, err)
		require.False(t, seen[another])
		seen[another] = true
	}
}
