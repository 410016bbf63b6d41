package handover

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keepFree makes a keeper of a free port, which does not run yet.
func keepFree(t *testing.T, path string) (keeper *Keeper) {
	t.Helper()
	require.Eventually(t, func() bool {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, free.Close())
		keeper, err = Keep(t.Context(), free.Addr().String(), path)
		return err == nil // somebody else may have been faster
	}, patience, time.Millisecond)
	return keeper
}

func TestAProcessThatTakesAPortAgainAndAgainCostsItsKeeperLittle(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	keeper := keepFree(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- keeper.Run(ctx) }()
	var taken []*Port
	for range mostTakers {
		port, err := Take(path)
		require.NoError(t, err)
		taken = append(taken, port)
	}
	for range 100 {
		_, err := Take(path)
		require.Error(t, err)
	}
	require.NoError(t, taken[0].Leave())
	require.Eventually(t, func() bool { // once the keeper has noticed that one left
		port, err := Take(path)
		if err == nil {
			taken = append(taken, port)
		}
		return err == nil
	}, patience, time.Millisecond)
	cancel()
	require.NoError(t, <-ended, "the port was kept until the end")
	for _, port := range taken {
		require.NoError(t, port.Socket.Close())
	}
}

func TestAKeeperThatCanGiveNoMoreEndsAndTellsWhoTookThePort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	keeper := keepFree(t, path)
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
