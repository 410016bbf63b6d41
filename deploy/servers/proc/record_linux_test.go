package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// damage is what can happen to a file that a command wrote and another reads.
var damage = map[string]func(t *testing.T, path string){
	"gone":  func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
	"empty": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
	"cut":   func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 20)) },
	"garbage": func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, []byte("\x00\xff{"), 0o600))
	},
	"of another kind": func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600)) },
	"unreadable": func(t *testing.T, path string) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700)) // root may read every file, but no folder as a file
	},
	"out of date": func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, []byte(`{"name":"sleeper","pid":1,"identity":"an earlier boot"}`), 0o600))
	},
}

func TestADetachedProcessIsFoundAndKeptWhateverHappenedToItsRecord(t *testing.T) {
	for name, happens := range damage {
		t.Run(name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), "process.json")
			process := sleeper(t, record)
			happens(t, record)
			found, err := Find(record)
			require.NoError(t, err)
			require.Equal(t, process.PID(), found.PID())
			require.Equal(t, process.command, found.command)
			if name == "unreadable" {
				_, _, err = Ensure(t.Context(), process.command)
				require.ErrorContains(t, err, record)
				require.NoError(t, os.Remove(record))
			}
			kept, replaced, err := Ensure(t.Context(), process.command)
			require.NoError(t, err)
			require.False(t, replaced)
			require.Equal(t, process.PID(), kept.PID())
			saved, err := readRecord(record)
			require.NoError(t, err)
			require.Equal(t, process.PID(), saved.PID)
			require.NoError(t, kept.Stop(t.Context()))
			require.NoFileExists(t, record)
			require.False(t, found.Alive())
		})
	}
}

func TestADamagedRecordOfAProcessThatHasEndedIsNoObstacle(t *testing.T) {
	for name, happens := range damage {
		if name == "unreadable" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), "process.json")
			process := sleeper(t, record)
			require.NoError(t, process.Kill())
			require.NoError(t, os.WriteFile(record, []byte(`{"name":"sleeper","pid":2,"identity":"an earlier boot"}`), 0o600))
			happens(t, record)
			found, err := Find(record)
			require.NoError(t, err)
			require.Nil(t, found)
			next, replaced, err := Ensure(t.Context(), process.command)
			require.NoError(t, err)
			require.False(t, replaced)
			require.NoError(t, next.Stop(t.Context()))
		})
	}
}

func TestWhatAnInterruptedCommandStartedIsFoundAndEnded(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	orphan := sleeper(t, record)
	process := sleeper(t, record) // whose record says nothing of the first one
	others, err := Others(record, process)
	require.NoError(t, err)
	require.Len(t, others, 1)
	require.Equal(t, orphan.PID(), others[0].PID())
	kept, replaced, err := Ensure(t.Context(), process.command)
	require.NoError(t, err)
	require.False(t, replaced)
	require.Equal(t, process.PID(), kept.PID())
	<-orphan.exited
	found, err := Find(record)
	require.NoError(t, err)
	require.Equal(t, process.PID(), found.PID(), "the end of the other has left the record")
}

func TestAChildOfAProcessIsNotTakenForIt(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	command := Command{
		Name: "parent", Path: "/bin/sh", Args: []string{"-c", "sleep 600 & wait"}, Dir: t.TempDir(),
		Log: filepath.Join(t.TempDir(), "log"), Record: record,
	}
	process, err := Start(command)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.Kill()) })
	require.NoError(t, Poll(t.Context(), func() error {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", process.PID()))
		if err == nil && len(children) == 0 {
			err = errors.New("there is no child yet")
		}
		return err
	}))
	others, err := Others(record, process)
	require.NoError(t, err)
	require.Empty(t, others)
}

func TestAProcessOfAContainerIsNotTakenForOneWithTheSameRecordHere(t *testing.T) {
	root := t.TempDir()
	source := filepath.Join(root, "main.go")
	require.NoError(t, os.WriteFile(source, []byte("package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(time.Hour) }\n"), 0o600))
	build := exec.Command("go", "build", "-o", filepath.Join(root, "program"), source) // #nosec G204 -- our own arguments
	build.Env = append(os.Environ(), "CGO_ENABLED=0")                                  // it runs where there are no libraries
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)

	record := filepath.Join(t.TempDir(), "process.json")
	environment, err := Command{Name: "sleeper", Record: record}.marked()
	require.NoError(t, err)
	inside := exec.Command("/program")
	inside.Env = environment
	inside.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Chroot: root}
	if user := os.Getuid(); user != 0 { // root may do this without a namespace
		inside.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		inside.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: user, Size: 1}}
	}
	require.NoError(t, inside.Start())
	t.Cleanup(func() { _, _ = inside.Process.Kill(), inside.Wait() })

	found, err := Find(record)
	require.NoError(t, err)
	require.Nil(t, found)
	here := sleeper(t, record)
	require.NoError(t, EndOthers(t.Context(), record, here))
	_, err = processIdentity(inside.Process.Pid)
	require.NoError(t, err, "it still runs")
	require.True(t, here.Alive())
}
