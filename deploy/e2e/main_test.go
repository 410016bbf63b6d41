// Package e2e tests the running system from outside: through the gateway's port, with what a client can know, and with
// processes killed and stopped as an operator would.
//
// It starts a system of its own, natively, on free ports and with its data in a temporary folder, and ends it.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"oms.internal/servers/proc"
)

// system is the system under test.
var system struct {
	data    string // folder
	gateway string // URL
	env     []string
}

const (
	startTimeout = 5 * time.Minute
	// patience is how long a test waits for what happens within seconds on an idle machine.
	patience = time.Minute
)

func TestMain(m *testing.M) {
	code, err := runOnOwnSystem(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runOnOwnSystem(m *testing.M) (code int, err error) {
	// A short path: it will hold Unix sockets.
	if system.data, err = os.MkdirTemp("", "oms"); err != nil {
		return 1, err
	}
	system.env = append(os.Environ(), "OMS_DATA="+system.data, "MODE=native",
		// What the shell says about a system of its own does not concern this one.
		"ACCOUNTS_DIRECTORY=", "TOKEN_LIFETIME=", "REFRESH_LIFETIME=", "REFRESH_REPEAT_WINDOW=", "TIME_ZONE=", "TLS_CERT_FILE=", "TLS_KEY_FILE=",
		"REVOCATION_MAX_STALENESS=", "TRUSTED_PROXIES=", "CORS_ALLOWED_ORIGINS=", "CORS_ALLOWED_HEADERS=",
		"DRAIN_TIME=", "EVENTS_REPLICAS=", "FILE=", "FORCE=",
		// A slow machine is not to be taken for a service that does not answer.
		"REQUEST_TIMEOUT=40s", "UPSTREAM_TIMEOUT=50s", "LAST_ORDERS_TIMEOUT=10s",
		// The load of these tests comes from one address.
		"RATE_LIMIT_ADDRESS=0", "RATE_LIMIT_MEMBER=0", "CONNECTIONS_PER_ADDRESS=0")
	for _, variable := range []string{
		"GATEWAY_PORT", "GATEWAY_ADMIN_PORT", "ACCOUNTS_PORT", "ACCOUNTS_ADMIN_PORT", "ORDERS_PORT", "ORDERS_ADMIN_PORT",
		"PRIMARY_PORT", "REPLICA_PORT", "NATS_PORT",
	} {
		port, err := proc.FreePort()
		if err != nil {
			return 1, err
		}
		system.env = append(system.env, variable+"="+strconv.Itoa(port))
		if variable == "GATEWAY_PORT" {
			system.gateway = "http://127.0.0.1:" + strconv.Itoa(port)
		}
	}
	command := filepath.Join(system.data, "oms")
	if err := execute("go", "build", "-o", command, "../cmd/oms"); err != nil {
		return 1, err
	}
	defer func() {
		// Also after a failed start: what did start must end.
		if cleanErr := execute(command, "clean"); err == nil {
			err = cleanErr
		}
		if removeErr := os.RemoveAll(system.data); err == nil {
			err = removeErr
		}
	}()
	if err := execute(command, "up"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func execute(name string, arguments ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Env = system.env
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %v: %w", filepath.Base(name), arguments, err)
	}
	return nil
}
