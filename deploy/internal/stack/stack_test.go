package stack_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestPortsHaveDefaultsAndCanBeChanged(t *testing.T) {
	ports, err := stack.PortsFrom(environment(map[string]string{"PRIMARY_PORT": "14406"}))
	require.NoError(t, err)
	require.Equal(t, 14406, ports.Primary)
	require.Equal(t, 5506, ports.Replica)
	require.Equal(t, 8080, ports.Gateway)
	require.Equal(t, 4222, ports.NATS)
}

func TestAllMistakesInPortsAreReportedTogether(t *testing.T) {
	_, err := stack.PortsFrom(environment(map[string]string{
		"GATEWAY_PORT": "http", "NATS_PORT": "70000", "PRIMARY_PORT": "6000", "REPLICA_PORT": "6000",
	}))
	require.ErrorContains(t, err, `GATEWAY_PORT is "http"`)
	require.ErrorContains(t, err, `NATS_PORT is "70000"`)
	require.ErrorContains(t, err, "PRIMARY_PORT and REPLICA_PORT are both 6000")
}

func TestATakenPortIsNamedWithTheVariableThatChangesIt(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	s := stack.Stack{Folder: t.TempDir(), Ports: stack.Ports{Primary: taken.Addr().(*net.TCPAddr).Port}}
	err = s.CheckPorts(t.Context(), func(string) bool { return false })
	require.ErrorContains(t, err, taken.Addr().(*net.TCPAddr).AddrPort().String())
	require.ErrorContains(t, err, "set PRIMARY_PORT to another")
	require.NoError(t, s.CheckPorts(t.Context(), func(string) bool { return false }, "PRIMARY_PORT"))
	runs := func(owner string) bool { return owner == "primary" }
	require.ErrorContains(t, s.CheckPorts(t.Context(), runs), "PRIMARY_PORT", "it listened elsewhere until now")
	require.NoError(t, s.Save(stack.Native))
	require.NoError(t, s.CheckPorts(t.Context(), runs))
}

func TestWhatTheOneNATSServerHereCannotDoIsNotChosen(t *testing.T) {
	choices, err := stack.ChoicesFrom(environment(map[string]string{"EVENTS_REPLICAS": "3", "LOG_LEVEL": "debug"}))
	require.NoError(t, err)
	require.Equal(t, stack.Choices{"LOG_LEVEL": "debug"}, choices)
}

func TestAModeIsChosenByWhatIsAskedForAndWhatAnswers(t *testing.T) {
	for _, test := range []struct {
		asked  string
		docker bool
		want   stack.Mode
	}{
		{"", true, stack.Docker},
		{"", false, stack.Native},
		{"auto", true, stack.Docker},
		{"auto", false, stack.Native},
		{"docker", false, stack.Docker},
		{"native", true, stack.Native},
	} {
		mode, err := stack.ChooseMode(test.asked, func() bool { return test.docker })
		require.NoError(t, err)
		require.Equal(t, test.want, mode, "%q with docker %v", test.asked, test.docker)
	}
	_, err := stack.ChooseMode("podman", func() bool { return true })
	require.ErrorContains(t, err, "podman")
}

func TestTheRecordIsWhatWasSavedUntilClean(t *testing.T) {
	s := stack.Stack{Root: t.TempDir(), Ports: stack.Ports{Gateway: 8090}}
	_, found, err := s.Recorded()
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, s.Save(stack.Native))
	record, found, err := s.Recorded()
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, stack.Record{Mode: stack.Native, Ports: s.Ports}, record)
	require.NoError(t, s.Clean())
	require.NoDirExists(t, s.Data())
}

func TestCleanLeavesWhatTheStackDidNotMake(t *testing.T) {
	s := stack.Stack{Folder: t.TempDir()}
	require.NoError(t, s.Save(stack.Native))
	foreign := filepath.Join(s.Data(), "letters")
	require.NoError(t, os.WriteFile(foreign, nil, 0o600))
	require.NoError(t, s.Clean())
	entries, err := os.ReadDir(s.Data())
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.FileExists(t, foreign)
}
