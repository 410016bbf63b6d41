package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

// gateway is a second one beside that of the system, with the same settings but for its ports.
type gateway struct {
	url     string
	admin   string
	env     []string
	command *exec.Cmd
	log     *os.File
}

// startGateway starts another gateway and waits until it is ready. It ends with the test.
func startGateway(t *testing.T) *gateway {
	t.Helper()
	public, err := proc.FreePort()
	require.NoError(t, err)
	admin, err := proc.FreePort()
	require.NoError(t, err)
	log, err := os.CreateTemp(t.TempDir(), "gateway")
	require.NoError(t, err)
	second := &gateway{
		url: fmt.Sprintf("http://127.0.0.1:%d", public), admin: fmt.Sprintf("http://127.0.0.1:%d", admin), log: log,
		env: append(settingsOf(t, process(t, "run", "gateway.json").PID()),
			fmt.Sprintf("HTTP_ADDR=127.0.0.1:%d", public), fmt.Sprintf("ADMIN_ADDR=127.0.0.1:%d", admin)),
	}
	second.start(t)
	t.Cleanup(func() {
		second.kill()
		require.NoError(t, log.Close())
	})
	second.awaitReady(t)
	return second
}

// settingsOf reads the environment of a running process, without its addresses.
func settingsOf(t *testing.T, pid int) []string {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	require.NoError(t, err)
	var settings []string
	for setting := range strings.SplitSeq(strings.Trim(string(content), "\x00"), "\x00") {
		if !strings.HasPrefix(setting, "HTTP_ADDR=") && !strings.HasPrefix(setting, "ADMIN_ADDR=") {
			settings = append(settings, setting)
		}
	}
	return settings
}

func (g *gateway) start(t *testing.T) {
	t.Helper()
	g.command = exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(system.data, "bin", "gateway"), "serve")
	g.command.Env, g.command.Stdout, g.command.Stderr = g.env, g.log, g.log
	g.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, g.command.Start())
}

func (g *gateway) kill() {
	_ = g.command.Process.Kill()
	_ = g.command.Wait()
}

func (g *gateway) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	got, err := newClient().read(request)
	return err == nil && got.status == http.StatusOK
}

func (g *gateway) awaitReady(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return g.ready(t.Context()) }, patience, 10*time.Millisecond, "the gateway gets ready")
}

// client returns a client of this gateway with the token.
func (g *gateway) client(token string) client {
	c := newClient().as(token)
	c.base = g.url
	return c
}
