package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/stack"
)

// upWith runs `make up` with other settings than the system runs with.
func upWith(t *testing.T, settings ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	command := system.Command(ctx, "up")
	command.Env = append(command.Env, settings...)
	printed, err := command.CombinedOutput()
	return string(printed), err
}

// shop is members who read and order without a pause.
type shop struct {
	*load
	members      []member
	acknowledged [][]uint64 // orders of each member
	opened       time.Time
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{members: []member{signUp(t), signUp(t), signUp(t), signUp(t), signUp(t), signUp(t)}, opened: time.Now()}
	s.acknowledged = make([][]uint64, len(s.members))
	s.load = startLoad(t, len(s.members), func(i int) (bool, string) {
		for _, path := range []string{fmt.Sprintf("/accounts/users/%d", s.members[i].id), "/orders/?limit=5"} {
			if ok, what := succeeded(s.members[i].try(t.Context(), http.MethodGet, path, nil)); !ok {
				return ok, path + ": " + what
			}
		}
		got, err := s.members[i].try(t.Context(), http.MethodPost, "/orders/", newOrder("while all is replaced"))
		if err != nil || got.status != http.StatusCreated {
			_, what := succeeded(got, err)
			return false, what
		}
		s.acknowledged[i] = append(s.acknowledged[i], idOf(got.body))
		return true, ""
	})
	requireGoesOn(t, s.load, 50)
	return s
}

// requireServedAll ends the load and holds that no request failed and that each acknowledged order is there.
func (s *shop) requireServedAll(t *testing.T) {
	t.Helper()
	requireGoesOn(t, s.load, 50)
	s.end()
	requests := 3 * s.sent.Load()
	t.Logf("%d requests, %.0f a second; %d rounds of 3 failed", requests, float64(requests)/time.Since(s.opened).Seconds(), s.failed.Load())
	require.Zero(t, s.failed.Load(), "%v", s.example.Load())
	for i, own := range s.members {
		listed := ordersOf(t, own)
		for _, id := range s.acknowledged[i] {
			require.True(t, listed[id], "order %d was acknowledged", id)
		}
	}
}

func TestAnUpgradeUnderLoadFailsNoRequestWithOneInstanceOfEachService(t *testing.T) {
	running := openShop(t)
	before := pids(t)
	output, err := upWith(t, "LOG_LEVEL=debug")
	require.NoError(t, err, output)
	requireGoesOn(t, running.load, 50)
	after := pids(t)
	for name := range before {
		require.NotEqual(t, before[name], after[name])
		require.Contains(t, output, name+" was replaced while it served, because of settings")
	}

	// Settings that a service refuses change nothing. In containers, another port would end all services before they start anew.
	port, err := proc.FreePort()
	require.NoError(t, err)
	output, err = upWith(t, "REQUEST_TIMEOUT=-1s", fmt.Sprintf("GATEWAY_ADMIN_PORT=%d", port))
	require.Error(t, err)
	require.Contains(t, output, "REQUEST_TIMEOUT: -1s is not positive")
	require.Equal(t, after, pids(t))
	requireGoesOn(t, running.load, 50)

	oms(t, "up")
	running.requireServedAll(t)
}

func TestASecretThatIsDamagedAndPutBackOrReplacedUnderLoadFailsNoRequest(t *testing.T) {
	running := openShop(t)
	before := pids(t)
	for _, name := range []string{"principal.pem", "mysql-orders-app", "nats-gateway"} {
		path := filepath.Join(system.Data, "secrets", name)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
		output, err := upWith(t)
		require.Error(t, err)
		require.Contains(t, output, path)
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	oms(t, "up")
	require.Equal(t, before, pids(t), "nobody reads anything else than before")

	require.NoError(t, os.WriteFile(filepath.Join(system.Data, "secrets", "idempotency"), []byte(strings.Repeat("x", 32)), 0o600))
	oms(t, "up")
	after := pids(t)
	require.NotEqual(t, before["accounts"], after["accounts"], "it reads the new one")
	require.Equal(t, before["orders"], after["orders"])
	require.Equal(t, before["gateway"], after["gateway"])
	running.requireServedAll(t)
}

// breakBuild replaces what was built last of accounts by what cannot start, as a release does that fails.
func breakBuild(t *testing.T) {
	t.Helper()
	if os.Getenv("OMS_TEST_MODE") != string(stack.Docker) {
		require.NoError(t, os.Truncate(filepath.Join(system.Data, "bin", "accounts"), 0))
		return
	}
	docker := func(arguments ...string) string {
		output, err := exec.CommandContext(t.Context(), "docker", arguments...).CombinedOutput() // #nosec G204 -- our own arguments
		require.NoError(t, err, "%s", output)
		return strings.TrimSpace(string(output))
	}
	image := docker("inspect", "--format", "{{.Config.Image}}", pids(t)["accounts"])
	docker("tag", "nats:2.14", image)
}

//nolint:paralleltest // it stops the services
func TestCommandsAfterAnUpgradeThatFailedRunAndStartWhatServedBefore(t *testing.T) {
	one := signUp(t)
	file := filepath.Join(t.TempDir(), "backup.sql.gz")
	oms(t, "backup", "--file", file)
	breakBuild(t)
	oms(t, "keys", "rotate")
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	command := system.Command(ctx, "restore", "--file", file)
	command.Env = append(command.Env, "FORCE=1")
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	got, err := one.try(t.Context(), http.MethodGet, fmt.Sprintf("/accounts/users/%d", one.id), nil)
	ok, what := succeeded(got, err)
	require.True(t, ok, what)
	oms(t, "up")
}
