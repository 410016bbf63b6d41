package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
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

func TestWhoOpensConnectionsToAnAdminPortAgainAndAgainGetsFewAndOthersGoOn(t *testing.T) {
	t.Parallel()
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Upgrade") != "" { // a connection that the server no longer counts
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", request.Header.Get("Upgrade"))
			w.WriteHeader(http.StatusSwitchingProtocols)
		}
	}))
	defer admin.Close()
	flooded, other := freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{flooded + "=" + admin.URL, other + "=" + admin.URL}) }()
	answers := func(address string) bool {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get("http://" + address)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	for _, address := range []string{flooded, other} {
		require.Eventually(t, func() bool { return answers(address) }, patience, time.Millisecond)
	}

	// open returns a connection, and whether the process serves it.
	open := func() (net.Conn, bool) {
		connection, err := net.Dial("tcp", flooded)
		require.NoError(t, err)
		require.NoError(t, connection.SetDeadline(time.Now().Add(patience)))
		_, writeErr := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
		_, readErr := connection.Read(make([]byte, 1))
		require.NotErrorIs(t, readErr, os.ErrDeadlineExceeded)
		return connection, writeErr == nil && readErr == nil
	}
	var served []net.Conn
	require.Eventually(t, func() bool { // the place of a request before may be free a moment later
		connection, is := open()
		t.Cleanup(func() { _ = connection.Close() })
		if is {
			served = append(served, connection)
		}
		return len(served) == mostConnections
	}, patience, time.Millisecond)
	for range 100 {
		connection, is := open()
		require.NoError(t, connection.Close())
		require.False(t, is)
	}
	require.False(t, answers(flooded))
	require.True(t, answers(other))
	require.NoError(t, served[0].Close())
	require.Eventually(t, func() bool { return answers(flooded) }, patience, time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
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
