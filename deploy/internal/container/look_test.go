package container

import (
	"strings"
	"testing"

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
		"no health check": {
			`{"ID":"1","Service":"accounts","State":"running","Health":"","Status":"Up 7 minutes"}`, "accounts 1 running", true,
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
		health  string // Compose's word
		checked checked
		state   string
		well    bool
	}{
		"ready":    {"healthy", checked{0, "ready\n"}, "ready", true},
		"MySQL":    {"healthy", checked{0, "1\n1\n"}, "ready", true},
		"degraded": {"healthy", checked{0, "ready, but degraded\nNATS is away\n"}, "ready, but degraded\nNATS is away", true},
		"not for long enough to be unhealthy": {
			"healthy", checked{1, "no server is writable\nnot ready: 503\n"}, "not ready: no server is writable\nnot ready: 503", false,
		},
		"not for long": {"unhealthy", checked{1, "no server is writable\n"}, "not ready: no server is writable", false},
		"hanging":      {"healthy", checked{-1, "Health check exceeded timeout (3s)"}, "not ready: Health check exceeded timeout (3s)", false},
		"silent":       {"unhealthy", checked{1, ""}, "not ready: Up 7 minutes", false},
	} {
		part := container{ID: "1", State: "running", Status: "Up 7 minutes", Health: test.health, checked: &test.checked}.part("orders")
		require.Equal(t, test.state, part.State, name)
		require.Equal(t, test.well, part.Well, name)
	}
}

func TestTheReasonOfAFailureIsTheLastLineAndShort(t *testing.T) {
	t.Parallel()
	require.Equal(t, "container is unhealthy", lastLine("Waiting\n container is unhealthy\n\n"))
	require.Empty(t, lastLine("\n"))
	require.Less(t, len(lastLine(strings.Repeat("한", 1000))), 500)
}
