package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
)

// environment is what the process of a test would be started with by an operator.
func environment(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema) map[string]string {
	t.Helper()
	dir := t.TempDir()
	secret := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
		return path
	}
	return map[string]string{
		"MYSQL_HOSTS": pair.Hosts(), "MYSQL_DATABASE": schema.Name,
		"MYSQL_USER": schema.App.User, "MYSQL_PASSWORD_FILE": secret("app", schema.App.Password),
		"MYSQL_MIGRATE_USER": schema.Migrate.User, "MYSQL_MIGRATE_PASSWORD_FILE": secret("migrate", schema.Migrate.Password),
		"NATS_URL": "nats://127.0.0.1:1", "NATS_PASSWORD_FILE": secret("nats", "x"), "PRINCIPAL_PUBLIC_KEY_FILE": secret("key", "no key"),
	}
}

func list(values map[string]string) []string {
	var environ []string
	for key, value := range values {
		environ = append(environ, key+"="+value)
	}
	return environ
}

func TestMigrateBringsTheSchemaAndMayRunAgain(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t)
	environ := list(environment(t, pair, schema))
	require.NoError(t, command(t.Context(), []string{"migrate"}, environ))
	require.NoError(t, command(t.Context(), []string{"migrate"}, environ))
	app, err := pair.Primary.Open(schema.App.User, schema.App.Password, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, app.Close()) }()
	var orders, beats int
	require.NoError(t, app.QueryRowContext(t.Context(), "SELECT COUNT(*), (SELECT COUNT(*) FROM heartbeat) FROM orders").Scan(&orders, &beats))
	require.Equal(t, 0, orders)
	require.Equal(t, 1, beats)
}

func TestAWrongStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t)
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
		"a key that is none":    {[]string{"serve"}, nil, []string{"PEM"}},
		"a port that is taken":  {nil, map[string]string{"HTTP_ADDR": taken.Addr().String(), "ADMIN_ADDR": "127.0.0.1:0"}, []string{taken.Addr().String()}},
		"an admin port as well": {nil, map[string]string{"HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": taken.Addr().String()}, []string{taken.Addr().String()}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			values := environment(t, pair, schema)
			for key, value := range c.change {
				values[key] = value
			}
			if strings.Contains(name, "port") {
				values["PRINCIPAL_PUBLIC_KEY_FILE"] = writeKey(t, make([]byte, 32))
			}
			err := command(t.Context(), c.args, list(values))
			require.Error(t, err)
			for _, text := range c.want {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// It sets a variable of the whole process and therefore does not run beside others.
func TestHealthTellsWhetherTheProcessIsReady(t *testing.T) {
	p := start(t)
	t.Setenv("ADMIN_ADDR", p.addresses.Admin.String())
	require.NoError(t, command(t.Context(), []string{"health"}, nil))
	p.cancel()
	require.NoError(t, p.ended())
	require.Error(t, command(t.Context(), []string{"health"}, nil))
}
