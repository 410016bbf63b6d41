package dbpair

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAServersDataIsNotBegunWithoutSpaceForIt(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, requireSpace(folder, 0))
	require.ErrorContains(t, requireSpace(folder, 1<<40), "the disk of "+folder+" has ")
	require.ErrorIs(t, requireSpace(filepath.Join(folder, "gone"), 0), os.ErrNotExist)
}

func TestWhoStopsWaitingForAServersDataEndsAllThatMakesIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script, pipe := filepath.Join(dir, "install"), filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	// As mariadb-install-db does on a full disk, it waits for a process of its own, which waits for ever and shares its output.
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nsleep 600 > "+pipe+" &\nwait\n"), 0o700)) // #nosec G306 -- a program
	process := &mariadbProcess{name: primaryName, dir: dir, install: script, root: "Root1"}
	ctx, cancel := context.WithCancel(t.Context())
	made := make(chan error, 1)
	go func() { made <- process.makeData(ctx, filepath.Join(dir, "data.new")) }()
	begun, err := os.Open(pipe)
	require.NoError(t, err)
	defer begun.Close() //nolint:errcheck // only read from
	cancel()
	require.Error(t, <-made)
	// The pipe ends with the last process that writes it.
	_, err = io.ReadAll(begun)
	require.NoError(t, err)
}
