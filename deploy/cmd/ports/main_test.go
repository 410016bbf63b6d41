package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/handover"
	"oms.internal/servers/proc"
)

const patience = 30 * time.Second

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := proc.FreePort()
	require.NoError(t, err)
	return proc.Loopback(port)
}

func TestPortsAreGivenAwayOrPassOnUntilTheEnd(t *testing.T) {
	t.Parallel()
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, _ = io.WriteString(w, "asked for "+request.URL.Path)
	}))
	defer admin.Close()
	path, given, passed := filepath.Join(t.TempDir(), "gateway"), freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{given + "=" + path, passed + "=" + admin.URL}) }()

	var port *handover.Port
	require.Eventually(t, func() (taken bool) {
		var err error
		port, err = handover.Take(path)
		return err == nil
	}, patience, time.Millisecond)
	listener, err := net.FileListener(port.Socket)
	require.NoError(t, err)
	require.Equal(t, given, listener.Addr().String())
	require.NoError(t, listener.Close())

	ask := func() (string, error) {
		response, err := http.Get("http://" + passed + "/readyz")
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	require.Eventually(t, func() bool {
		answer, err := ask()
		return err == nil && answer == "asked for /readyz"
	}, patience, time.Millisecond)

	cancel()
	require.NoError(t, <-ended)
	require.Error(t, port.Hold(t.Context()), "the port is lost")
	_, err = ask()
	require.Error(t, err)
}

func TestAPortThatCannotBeKeptEndsTheProcess(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	folder := t.TempDir()
	for _, arguments := range [][]string{
		nil, {""}, {"127.0.0.1:1"}, {freeAddress(t) + "=no URL"},
		{taken.Addr().String() + "=" + filepath.Join(folder, "a")},
		{taken.Addr().String() + "=http://localhost:1", freeAddress(t) + "=" + filepath.Join(folder, "b")},
		{freeAddress(t) + "=" + filepath.Join(folder, "no", "folder")},
	} {
		require.Error(t, run(t.Context(), arguments), "%q", arguments)
	}
}
