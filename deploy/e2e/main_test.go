// Package e2e tests the running system from outside: through the gateway's port, with what a client can know, and with
// processes killed and stopped as an operator would.
//
// It starts a system of its own, natively, on free ports and with its data in a temporary folder, and ends it. With
// OMS_TEST_MODE=docker the upgrade (upgrade_test.go) and the schedule (schedule_test.go) are tried in containers; the other tests look for
// processes.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/systemtest"
	"oms.internal/servers/proc"
)

// system is the system under test.
var system *systemtest.System

const (
	startTimeout = 15 * time.Minute
	// patience is how long a test waits for what happens within seconds on an idle machine.
	patience = time.Minute
)

func TestMain(m *testing.M) {
	// What rapid draws leads to real requests, so it draws fewer than by default. It keeps no file of a failure, which names what only that
	// system had.
	err := errors.Join(flag.Set("rapid.checks", "20"), flag.Set("rapid.nofailfile", "true"))
	code := 1
	if err == nil {
		code, err = runOnOwnSystem(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runOnOwnSystem(m *testing.M) (code int, err error) {
	system, err = systemtest.New(
		// A slow machine is not to be taken for a service that does not answer.
		"REQUEST_TIMEOUT=40s", "UPSTREAM_TIMEOUT=50s", "LAST_ORDERS_TIMEOUT=10s",
		// Every answer here is held to the description of the API, of which the pages (deploy/browser) are no part.
		"PAGES=false",
		// The load of these tests comes from one address.
		"RATE_LIMIT_ADDRESS=0", "RATE_LIMIT_MEMBER=0", "CONNECTIONS_PER_ADDRESS=0")
	if err != nil {
		return 1, err
	}
	defer func() {
		// Also after a failed start: what did start must end.
		if closeErr := system.Close(); err == nil {
			err = closeErr
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := system.Up(ctx); err != nil {
		return 1, err
	}
	if code = m.Run(); code != 0 {
		tellTrouble()
	}
	return code, checks.Err()
}

// tellTrouble prints the end of what the processes logged of failures and refusals, because their logs go with the system.
func tellTrouble() {
	const most = 100 // lines of each
	for _, name := range []string{"gateway", "accounts", "orders", "supervisor"} {
		content, err := os.ReadFile(filepath.Join(system.Data, "logs", name+".log"))
		var told []string
		for line := range strings.Lines(string(content)) {
			if !strings.Contains(line, `"level":"INFO"`) || strings.Contains(line, `"reason":`) {
				told = append(told, line)
			}
		}
		if err != nil {
			told = append(told, err.Error()+"\n")
		}
		fmt.Fprintln(os.Stderr, name, "logged of failures and refusals:")
		fmt.Fprint(os.Stderr, strings.Join(told[max(0, len(told)-most):], ""))
	}
}

// oms runs the command behind the Makefile.
func oms(t *testing.T, arguments ...string) {
	t.Helper()
	require.NoError(t, tryOMS(t, arguments...))
}

func tryOMS(t *testing.T, arguments ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	return system.OMS(ctx, arguments...)
}

// process finds what `make up` started.
func process(t *testing.T, record ...string) *proc.Process {
	t.Helper()
	found, err := system.Process(record...)
	require.NoError(t, err)
	return found
}

// gatewayURL is where the system's gateway listens.
func gatewayURL() string { return "http://" + system.Address("GATEWAY_PORT") }
