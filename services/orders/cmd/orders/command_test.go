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
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	cases := map[string]struct {
		args   []string
		change map[string]string
		want   []string
	}{
		"an unknown command":    {[]string{"sreve"}, nil, []string{`"sreve"`}},
		"an unknown setting":    {nil, map[string]string{"MYSQL_HOST": "x"}, []string{"MYSQL_HOST"}},
		"several wrong ones":    {nil, map[string]string{"TIME_ZONE": "Asia/Soul", "LOG_LEVEL": "loud"}, []string{"Asia/Soul", "loud"}},
		"a long drain":          {nil, map[string]string{"DRAIN_TIME": "10s", "EVENTS_REPLICAS": "0"}, []string{"DRAIN_TIME", "EVENTS_REPLICAS"}},
		"a missing secret":      {nil, map[string]string{"MYSQL_PASSWORD_FILE": "/nowhere"}, []string{"/nowhere"}},
		"a key that is none":    {[]string{"serve"}, map[string]string{"PRINCIPAL_PUBLIC_KEY_FILE": servicetest.File(t, "no key")}, []string{"PEM"}},
		"a port that is taken":  {nil, map[string]string{"HTTP_ADDR": taken.Addr().String(), "ADMIN_ADDR": "127.0.0.1:0"}, []string{taken.Addr().String()}},
		"an admin port as well": {nil, map[string]string{"HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": taken.Addr().String()}, []string{taken.Addr().String()}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			environ := servicetest.Environ(t, at.Config)
			for key, value := range c.change {
				environ = append(environ, key+"="+value) // the last one counts
			}
			err := program().Command(t.Context(), c.args, environ, io.Discard)
			require.Error(t, err)
			for _, text := range c.want {
				require.ErrorContains(t, err, text)
			}
		})
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
