package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
	"oms.internal/servers/proc"
)

func TestWhileACommandWorksOnlyThoseThatChangeNothingRun(t *testing.T) {
	t.Parallel()
	s := stack.Stack{Folder: t.TempDir()}
	unlock, err := s.Lock("make failover", time.Now())
	require.NoError(t, err)
	defer unlock()
	before, err := os.ReadDir(s.Data())
	require.NoError(t, err)
	lookup := environment(map[string]string{"OMS_DATA": s.Data(), "MODE": "native", "FILE": "backup.sql", "FORCE": "1"})
	for _, command := range commands() {
		if command.name == "setup" { // installs packages, wherever it runs
			continue
		}
		err := run(t.Context(), "", []string{command.name}, lookup, &strings.Builder{})
		if command.name == "admin" { // whose flag is missing here
			require.ErrorIs(t, err, errNotStarted)
			continue
		}
		if command.name == "backup-check" { // needs nothing that was started
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		if slices.Contains([]string{"ps", "logs", "replication", "poc", "import-drf", "backup", "supervise"}, command.name) {
			require.ErrorIs(t, err, errNotStarted, command.name)
			continue
		}
		require.ErrorContains(t, err, "`make failover` works in this data folder", command.name)
	}
	after, err := os.ReadDir(s.Data())
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestABackupAndARestoreKeepApart(t *testing.T) {
	t.Parallel()
	s, err := stack.Find(environment(map[string]string{"OMS_DATA": t.TempDir()}))
	require.NoError(t, err)
	require.NoError(t, s.Save(stack.Native))
	process, err := proc.Start(proc.Command{
		Name: "orders", Path: "/bin/sleep", Args: []string{"600"}, Dir: t.TempDir(), Log: filepath.Join(t.TempDir(), "log"),
		Record: filepath.Join(s.Data(), "run", "orders.json"),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.Kill()) })
	for working, other := range map[string]string{"backup": "restore", "restore": "backup"} {
		unlock, err := s.LockData("make "+working, time.Now())
		require.NoError(t, err)
		err = run(t.Context(), "", []string{other}, environment(map[string]string{"OMS_DATA": s.Data(), "FILE": "backup.sql"}), &strings.Builder{})
		require.ErrorContains(t, err, "`make "+working+"` works in this data folder")
		unlock()
	}
}

type noServices struct{}

func (noServices) StopServices(context.Context) (bool, error) { return true, nil }
func (noServices) StartServices(context.Context) error        { return nil }

func TestTheSupervisorWorksUntilARestoreStopsTheServices(t *testing.T) {
	t.Parallel()
	s := stack.Stack{Folder: t.TempDir()}
	require.NotContains(t, processes, "restore")
	services := &stopping{Services: noServices{}, app: app{stack: s}}
	_, err := services.StopServices(t.Context())
	require.NoError(t, err)
	_, err = s.LockProcesses("oms supervise", time.Now())
	require.ErrorContains(t, err, "`make restore` works in this data folder")
	services.unlock()
	unlock, err := s.LockProcesses("oms supervise", time.Now())
	require.NoError(t, err)
	unlock()
}

func TestEachDangerHasAWordOfItsOwn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]force{
		"": {}, "1": {data: true}, "unsealed": {unsealed: true}, "1 unsealed": {data: true, unsealed: true}, "unsealed,1": {data: true, unsealed: true},
	} {
		var got force
		require.NoError(t, got.Set(text))
		require.Equal(t, want, got, text)
	}
	err := run(t.Context(), "", []string{"restore"}, environment(map[string]string{"FORCE": "yes"}), &strings.Builder{})
	require.ErrorContains(t, err, `FORCE: there is no "yes"`)
}
