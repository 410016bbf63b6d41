package handover

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAKeeperThatCanGiveNoMoreEndsAndTellsWhoTookThePort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	var keeper *Keeper
	require.Eventually(t, func() bool {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, free.Close())
		keeper, err = Keep(t.Context(), free.Addr().String(), path)
		return err == nil // somebody else may have been faster
	}, patience, time.Millisecond)
	ended := make(chan error, 1)
	go func() { ended <- keeper.Run(t.Context()) }()
	port, err := Take(path)
	require.NoError(t, err)
	require.NoError(t, keeper.giver.Close())
	require.ErrorContains(t, <-ended, "give a port away")
	require.ErrorContains(t, port.Hold(t.Context()), "keeper")
	require.NoError(t, port.Socket.Close())
}

func TestAKeeperThatHangsLetsNobodyWaitForEver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	hangs, err := net.Listen("unix", path) // connections wait, because nobody accepts them
	require.NoError(t, err)
	defer hangs.Close()
	_, err = take(path, time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.ErrorContains(t, err, path)
}
