package main

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/service/servicetest"
)

func TestMigrateBringsTheSchemaAndMayRunAgain(t *testing.T) {
	t.Parallel()
	at := servicetest.New(t, orders.Service)
	for range 2 {
		require.NoError(t, program().Command(t.Context(), []string{"migrate"}, servicetest.Environ(t, at.Config), io.Discard))
	}
	app, err := at.Pair.Primary.Open(at.Schema.App.User, at.Schema.App.Password, at.Schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, app.Close()) }()
	var orders, beats int
	require.NoError(t, app.QueryRowContext(t.Context(), "SELECT COUNT(*), (SELECT COUNT(*) FROM heartbeat) FROM orders").Scan(&orders, &beats))
	require.Equal(t, 0, orders)
	require.Equal(t, 1, beats)
}

func TestAWrongStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	at := servicetest.New(t, orders.Service)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	const free = "127.0.0.1:0"
	taken := listener.Addr().String()
	for name, c := range map[string]struct {
		settings []string
		want     string
	}{
		"settings that cannot be":             {[]string{"TIME_ZONE=Asia/Soul"}, "Asia/Soul"},
		"a key that is none":                  {[]string{"PRINCIPAL_PUBLIC_KEY_FILE=" + servicetest.File(t, "no key")}, "PEM"},
		"a port that is taken":                {[]string{"HTTP_ADDR=" + taken, "ADMIN_ADDR=" + free}, taken},
		"an admin port as well":               {[]string{"HTTP_ADDR=" + free, "ADMIN_ADDR=" + taken}, taken},
		"no authority for the database's TLS": {[]string{"MYSQL_TLS_CA_FILE=/missing.pem"}, "/missing.pem"},
		"no authority for the broker's TLS":   {[]string{"NATS_TLS_CA_FILE=/missing.pem"}, "/missing.pem"},
	} {
		environ := append(servicetest.Environ(t, at.Config), c.settings...) // the last one counts
		require.ErrorContains(t, program().Command(t.Context(), nil, environ, io.Discard), c.want, name)
	}
}

func TestHealthTellsWhetherTheProcessIsReady(t *testing.T) {
	t.Parallel()
	p := start(t)
	environ := []string{"ADMIN_ADDR=" + p.Admin.String()}
	require.NoError(t, program().Command(t.Context(), []string{"health"}, environ, io.Discard))
	require.NoError(t, p.Stop())
	require.Error(t, program().Command(t.Context(), []string{"health"}, environ, io.Discard))
}
