package container

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestEveryPartIsShownAndOneThatIsNotWellIsAnError(t *testing.T) {
	t.Parallel()
	const well = `{"ID":"8ef43fe2fee4","Service":"accounts","State":"running","Health":"healthy","Status":"Up 7 minutes (healthy)",` +
		`"Publishers":[{"URL":"0.0.0.0","PublishedPort":8080},{"URL":"::","PublishedPort":8080},{"PublishedPort":0}]}` + "\n"
	for name, test := range map[string]struct {
		printed, state string
		well           bool
	}{
		"ready":   {well, "accounts 8ef43fe2fee4 8080 ready", true},
		"removed": {"", "accounts - stopped", false},
		"just started": {
			`{"ID":"1","Service":"accounts","State":"running","Health":"","Status":"Up Less than a second"}`,
			"accounts 1 not ready: Up Less than a second", false,
		},
		"starting": {
			`{"ID":"1","Service":"accounts","State":"running","Health":"starting","Status":"Up 1 second (health: starting)"}`,
			"accounts 1 not ready: Up 1 second (health: starting)", false,
		},
		"crashing": {
			`{"ID":"1","Service":"accounts","State":"restarting","Health":"","Status":"Restarting (1) 3 seconds ago"}`,
			"accounts 1 Restarting (1) 3 seconds ago", false,
		},
		"a command of an operator beside it": {
			well + `{"ID":"2","Service":"accounts","State":"exited","Status":"Exited (1)","Labels":"a=b,com.docker.compose.oneoff=True"}`,
			"accounts 8ef43fe2fee4 8080 ready", true,
		},
		"the next one beside the one that serves": {
			well + `{"ID":"2","Service":"accounts","State":"running","Health":"starting","Status":"Up 1 second (health: starting)"}`,
			"accounts 8ef43fe2fee4 8080 ready", true,
		},
		"one that does not serve beside the next one": {
			`{"ID":"2","Service":"accounts","State":"exited","Status":"Exited (1)"}` + well, "accounts 8ef43fe2fee4 8080 ready", true,
		},
	} {
		found, err := containersIn(test.printed)
		require.NoError(t, err, name)
		var out strings.Builder
		err = stack.ShowParts(&out, "CONTAINER", []stack.Part{found["accounts"].part("accounts")})
		require.Equal(t, test.well, err == nil, name)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 2, name)
		require.Equal(t, test.state, strings.Join(strings.Fields(lines[1]), " "), name)
	}
	_, err := containersIn("no JSON")
	require.Error(t, err)
}

func TestTheNewestHealthCheckSaysWhetherAPartIsReadyAndWhyNot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		health string // Compose's word
		checks []checked
		state  string
		well   bool
	}{
		"ready":    {"healthy", []checked{{1, "starting"}, {0, "ready\n"}}, "ready", true},
		"MySQL":    {"healthy", []checked{{0, "1\n1\n"}}, "ready", true},
		"degraded": {"healthy", []checked{{0, "ready, but degraded\nNATS is away\n"}}, "ready, but degraded\nNATS is away", true},
		"not for long enough to be unhealthy": {
			"healthy", []checked{{0, "ready"}, {1, "no server is writable\nnot ready: 503\n"}},
			"not ready: no server is writable\nnot ready: 503", false,
		},
		"not for long":      {"unhealthy", []checked{{1, "not ready: 503\nno server is writable\n"}}, "not ready: 503\nno server is writable", false},
		"slow once":         {"healthy", []checked{{0, "ready\n"}, {-1, "exceeded timeout (3s)"}}, "ready", true},
		"hanging":           {"healthy", []checked{{-1, "exceeded timeout (3s)"}, {-1, ""}}, "not ready: exceeded timeout (3s)", false},
		"silent":            {"unhealthy", []checked{{1, ""}}, "not ready: Up 7 minutes", false},
		"before any answer": {"starting", nil, "not ready: Up 7 minutes", false},
	} {
		part := healthChecked(test.health, test.checks...).part("orders")
		require.Equal(t, test.state, part.State, name)
		require.Equal(t, test.well, part.Well, name)
	}
}

// healthChecked is a container that Compose calls so and whose health checks had these results.
func healthChecked(health string, results ...checked) container {
	one := container{ID: "1", Service: "orders", State: "running", Status: "Up 7 minutes", Health: health}
	one.seen.State.Health = &struct {
		Status string
		Log    []checked
	}{health, results}
	return one
}

func TestAPartWithoutAHealthCheckIsWellWhileItRuns(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nats", "binlogs", "ports"} {
		part := container{ID: "1", Service: name, State: "running", Status: "Up 7 minutes"}.part(name)
		require.Equal(t, stack.Part{Name: name, ID: "1", State: "running", Well: true}, part)
	}
}

func TestAPartThatNobodyChecksIsNotReadyIfItDoesNotAnswerFromHere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nats", "ports"} {
		part := container{ID: "1", Service: name, State: "running", Status: "Up 7 minutes", silent: errors.New("i/o timeout")}.part(name)
		require.Equal(t, stack.Part{Name: name, ID: "1", State: "not ready: i/o timeout"}, part)
	}
}

func TestTheServerThatTakesWritesIsNamedThePrimary(t *testing.T) {
	t.Parallel()
	one := healthChecked("healthy", checked{0, "1\n1\n"})
	one.primary = true
	require.Equal(t, "ready as the primary", one.part("replica").State)
	one = healthChecked("unhealthy", checked{1, "Can't connect"})
	one.primary = true
	require.Equal(t, "not ready: Can't connect", one.part("replica").State)
}

func TestWhoKeepsThePortsAnswersThoughTheServiceHangsUnlessItHangsItself(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }))
	defer server.Close()
	require.NoError(t, askPorts(t.Context(), server.Listener.Addr().String()))
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	err = askPorts(t.Context(), silent.Addr().String())
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestWhoAsksForALogThatIsNotThereHearsWhichAre(t *testing.T) {
	t.Parallel()
	err := New(stack.Stack{Folder: t.TempDir()}, &strings.Builder{}).Logs(t.Context(), "supervisor", false)
	require.ErrorContains(t, err, `there is no log of "supervisor"; choose one of: primary, replica, nats, binlogs, ports, orders, accounts, gateway`)
}

func TestItIsShownHowOftenTheEngineStartedAContainerAgain(t *testing.T) {
	t.Parallel()
	one := healthChecked("healthy", checked{0, "ready\n"})
	require.Equal(t, "ready", one.part("orders").State)
	one.seen.RestartCount, one.seen.State.StartedAt = 3, time.Now()
	part := one.part("orders")
	require.Regexp(t, `^ready \(started [-0-9]+ [:0-9]+ after 3 restarts\)$`, part.State)
	require.True(t, part.Well)
	one.State, one.Status = "restarting", "Restarting (137) 2 seconds ago"
	part = one.part("orders")
	require.Regexp(t, `^Restarting \(137\) 2 seconds ago \(started .* after 3 restarts\)$`, part.State)
	require.False(t, part.Well)
}

func TestTheReasonOfAFailureIsTheLastLineAndShort(t *testing.T) {
	t.Parallel()
	require.Equal(t, "container is unhealthy", lastLine("Waiting\n container is unhealthy\n\n"))
	require.Empty(t, lastLine("\n"))
	require.Less(t, len(lastLine(strings.Repeat("한", 1000))), 500)
}

func TestAnInterruptedStepSaysOnlyThat(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	runner := New(stack.Stack{Folder: t.TempDir()}, &out)
	ctx, cancel := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, "sh", "-c", "echo a hundred lines; exit 1")
	require.ErrorContains(t, runner.run(ctx, command, "building"), "building: a hundred lines (exit status 1)")
	require.Equal(t, "building\na hundred lines\n", out.String())
	out.Reset()
	begun := filepath.Join(t.TempDir(), "begun")
	command = exec.CommandContext(ctx, "sh", "-c", "echo a hundred lines; echo > "+begun+"; exec sleep 600")
	go func() {
		defer cancel()
		assert.Eventually(t, func() bool { _, err := os.Stat(begun); return err == nil }, time.Minute, time.Millisecond)
	}()
	require.ErrorIs(t, runner.run(ctx, command, "building"), context.Canceled)
	require.Equal(t, "building\n", out.String())
}
