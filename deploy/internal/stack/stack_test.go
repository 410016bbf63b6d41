package stack_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func environment(values map[string]string) stack.Lookup {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

func TestPortsHaveDefaultsAndCanBeChanged(t *testing.T) {
	ports, err := stack.PortsFrom(environment(map[string]string{"PRIMARY_PORT": "14406"}), stack.Ports{})
	require.NoError(t, err)
	require.Equal(t, 14406, ports.Primary)
	require.Equal(t, 5506, ports.Replica)
	require.Equal(t, 8080, ports.Gateway)
	require.Equal(t, 4222, ports.NATS)
}

func TestAllMistakesInPortsAreReportedTogether(t *testing.T) {
	_, err := stack.PortsFrom(environment(map[string]string{
		"GATEWAY_PORT": "http", "NATS_PORT": "70000", "PRIMARY_PORT": "6000", "REPLICA_PORT": "6000",
	}), stack.Ports{})
	require.ErrorContains(t, err, `GATEWAY_PORT is "http"`)
	require.ErrorContains(t, err, `NATS_PORT is "70000"`)
	require.ErrorContains(t, err, "PRIMARY_PORT and REPLICA_PORT are both 6000")
}

func TestATakenPortIsNamedWithTheVariableThatChangesIt(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	s := started(t)
	var others []string
	for _, port := range s.Ports.List() {
		if port.Owner != "primary" {
			others = append(others, port.Variable)
		}
	}
	s.Ports.Primary = taken.Addr().(*net.TCPAddr).Port
	nothing := func(string, int) bool { return false }
	err = s.CheckPorts(t.Context(), nothing, others...)
	require.ErrorContains(t, err, taken.Addr().(*net.TCPAddr).AddrPort().String())
	require.ErrorContains(t, err, "set PRIMARY_PORT to another")
	require.NoError(t, s.CheckPorts(t.Context(), nothing, append(others, "PRIMARY_PORT")...))
	elsewhere := func(owner string, port int) bool { return owner == "primary" && port != s.Ports.Primary }
	require.ErrorContains(t, s.CheckPorts(t.Context(), elsewhere, others...), "PRIMARY_PORT", "it listens elsewhere until now")
	there := func(owner string, port int) bool { return owner == "primary" && port == s.Ports.Primary }
	require.NoError(t, s.CheckPorts(t.Context(), there, others...))
}

func TestWhatTheEnvironmentDoesNotNameStaysAsAtTheLastStart(t *testing.T) {
	folder := t.TempDir()
	certificate := filepath.Join(folder, "certificate.pem")
	first, err := stack.Find(environment(map[string]string{
		"OMS_DATA": folder, "GATEWAY_PORT": "8090", "PRIMARY_PORT": "14406", "NATS_PORT": "", "ACCOUNTS_DIRECTORY": "admin", "TLS_CERT_FILE": certificate,
	}))
	require.NoError(t, err)
	require.NoError(t, first.Save(stack.Native))

	inAFreshShell := environment(map[string]string{"OMS_DATA": folder})
	again, err := stack.Find(inAFreshShell)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, []string{"GATEWAY_PORT=8090", "PRIMARY_PORT=14406", "ACCOUNTS_DIRECTORY=admin", "TLS_CERT_FILE=" + certificate},
		again.Kept(inAFreshShell))

	named := environment(map[string]string{"OMS_DATA": folder, "PRIMARY_PORT": "", "REPLICA_PORT": "15506", "ACCOUNTS_DIRECTORY": "", "TIME_ZONE": "UTC"})
	changed, err := stack.Find(named)
	require.NoError(t, err)
	require.Equal(t, stack.Choices{"TLS_CERT_FILE": certificate, "TIME_ZONE": "UTC"}, changed.Choices)
	require.Equal(t, []int{8090, 4406, 15506}, []int{changed.Ports.Gateway, changed.Ports.Primary, changed.Ports.Replica})
	require.Equal(t, []string{"GATEWAY_PORT=8090", "TLS_CERT_FILE=" + certificate}, changed.Kept(named))
	_, err = stack.Find(environment(map[string]string{"OMS_DATA": folder, "NATS_PORT": "8090"}))
	require.ErrorContains(t, err, "GATEWAY_PORT and NATS_PORT are both 8090")

	// A start that fails has moved the servers, perhaps; the services that ran before go on with what was chosen before.
	require.NoError(t, changed.Begin(stack.Native))
	record, _, err := changed.Recorded()
	require.NoError(t, err)
	require.Equal(t, first.Choices, record.Choices)
	require.Equal(t, []int{8090, 4406, 15506}, []int{record.Ports.Gateway, record.Ports.Primary, record.Ports.Replica})
}

func TestWhatTheOneNATSServerHereCannotDoIsNotChosen(t *testing.T) {
	choices, err := stack.ChoicesFrom(environment(map[string]string{"EVENTS_REPLICAS": "3", "LOG_LEVEL": "debug"}), nil)
	require.NoError(t, err)
	require.Equal(t, stack.Choices{"LOG_LEVEL": "debug"}, choices)
}

func TestAModeIsChosenByWhatIsAskedForWhereDataIsAndWhatAnswers(t *testing.T) {
	for _, test := range []struct {
		asked  string
		last   stack.Mode
		docker bool
		want   stack.Mode
	}{
		{"", "", true, stack.Docker},
		{"", "", false, stack.Native},
		{"auto", "", true, stack.Docker},
		{"auto", "", false, stack.Native},
		{"auto", stack.Native, true, stack.Native},
		{"", stack.Docker, false, stack.Docker},
		{"docker", stack.Native, false, stack.Docker},
		{"native", stack.Docker, true, stack.Native},
	} {
		mode, err := stack.ChooseMode(test.asked, test.last, func() bool { return test.docker })
		require.NoError(t, err)
		require.Equal(t, test.want, mode, "%q after %q with docker %v", test.asked, test.last, test.docker)
	}
	_, err := stack.ChooseMode("podman", "", func() bool { return true })
	require.ErrorContains(t, err, "podman")
}

func TestAPartIsOneLineWhateverItsStateSays(t *testing.T) {
	var out strings.Builder
	err := stack.ShowParts(&out, "PID", []stack.Part{
		{Name: "orders", ID: "7", Ports: []int{1, 2}, State: "ready", Well: true}, {Name: "gateway", State: "not ready: a\nb\r\nc"},
	})
	require.Error(t, err)
	require.Equal(t, "NAME     PID  PORTS  STATE\norders   7    1 2    ready\ngateway  -           not ready: a; b; c\n", out.String())
}

func TestTheRecordIsWhatWasSavedUntilClean(t *testing.T) {
	s := started(t)
	require.NoError(t, s.Clean())
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

// started is a stack that was started natively.
func started(t *testing.T) stack.Stack {
	t.Helper()
	ports, err := stack.PortsFrom(environment(map[string]string{"GATEWAY_PORT": "8090"}), stack.Ports{})
	require.NoError(t, err)
	s := stack.Stack{Folder: filepath.Join(t.TempDir(), "data"), Ports: ports}
	require.NoError(t, s.Save(stack.Native))
	return s
}

func TestADamagedRecordIsReplacedByItsCopyOrNamed(t *testing.T) {
	write := func(content string) func(string) error {
		return func(file string) error { return os.WriteFile(file, []byte(content), 0o600) }
	}
	for name, damage := range map[string]func(file string) error{
		"gone":       os.Remove,
		"empty":      write(""),
		"cut":        func(file string) error { return os.Truncate(file, 40) },
		"garbage":    write("\x00\xff"),
		"of a kind":  write("{}"),
		"no ports":   write(`{"mode":"native"}`),
		"no mode":    write(`{"mode":"podman"}`),
		"unreadable": func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) },
	} {
		s := started(t)
		files := []string{filepath.Join(s.Data(), "stack.json"), filepath.Join(s.Data(), "run", "stack.json")}
		require.NoError(t, damage(files[0]), name)
		record, found, err := s.Recorded()
		require.NoError(t, err, name)
		require.True(t, found, name)
		require.Equal(t, s.Ports, record.Ports, name)
		require.NoError(t, damage(files[1]), name)
		_, found, err = s.Recorded()
		require.False(t, found, name)
		if name == "gone" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, files[0], name)
		require.ErrorContains(t, err, files[1], name)
		if name != "unreadable" {
			require.NoError(t, s.Save(stack.Native), name)
			_, found, err = s.Recorded()
			require.NoError(t, err, name)
			require.True(t, found, name)
		}
	}
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
