package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

// special is the configuration of a service that has one setting of its own.
type special struct {
	Config
	Colour string `env:"COLOUR_NAME" envDefault:"red"`
}

func (c *special) SetDefaults() { c.Config = Defaults("parcels", 3, 2) }

func environ(t *testing.T, more ...string) []string {
	t.Helper()
	secret := writeFile(t, "a-secret-of-the-service")
	return append([]string{
		"MYSQL_HOSTS=a:1,b:2", "MYSQL_PASSWORD_FILE=" + secret, "NATS_URL=nats://a:1", "NATS_PASSWORD_FILE=" + secret,
		"PRINCIPAL_PUBLIC_KEY_FILE=key.pem",
	}, more...)
}

func TestDefaultsFollowFromTheNameOfTheService(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[special](environ(t))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:3", cfg.HTTPAddr)
	require.Equal(t, "127.0.0.1:2", cfg.AdminAddr)
	require.Equal(t, "red", cfg.Colour)
	require.Equal(t, "parcels", cfg.nats().User)
	mysql, migrate := cfg.mysql(), cfg.mysqlMigrate()
	require.Equal(t, []string{"parcels", "parcels_app", "parcels_migrate"}, []string{mysql.Database, mysql.User, migrate.User})
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second}, []time.Duration{cfg.DrainTime, mysql.Patience})
	require.Empty(t, mysql.TLSCAFile+migrate.TLSCAFile+cfg.nats().TLSCAFile)

	cfg, err = config.Load[special](environ(t, "MYSQL_USER=other", "HTTP_ADDR=:80"))
	require.NoError(t, err)
	require.Equal(t, []string{"other", ":80"}, []string{cfg.MySQLUser, cfg.HTTPAddr})
}

func TestAuthoritiesForTLSReachTheDatabaseAndTheBroker(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[special](environ(t, "MYSQL_TLS_CA_FILE=mysql.pem", "NATS_TLS_CA_FILE=nats.pem"))
	require.NoError(t, err)
	require.Equal(t, []string{"mysql.pem", "mysql.pem", "nats.pem"},
		[]string{cfg.mysql().TLSCAFile, cfg.mysqlMigrate().TLSCAFile, cfg.nats().TLSCAFile})
}

func TestSettingsThatCannotServeEndTheStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ setting, want string }{
		"no replica":                  {"EVENTS_REPLICAS=0", "EVENTS_REPLICAS"},
		"more replicas than NATS has": {"EVENTS_REPLICAS=6", "EVENTS_REPLICAS"},
		"three replicas":              {"EVENTS_REPLICAS=3", ""},
		"no time for requests":        {"REQUEST_TIMEOUT=0s", "REQUEST_TIMEOUT"},
		"no patience":                 {"MYSQL_PATIENCE=0s", "MYSQL_PATIENCE"},
		"too few connections":         {"MYSQL_CONNECTIONS=7", "MYSQL_CONNECTIONS"},
		"too many connections":        {"MYSQL_CONNECTIONS=1001", "MYSQL_CONNECTIONS"},
		"no time to drain":            {"DRAIN_TIME=0s", ""},
		"less than none":              {"DRAIN_TIME=-1s", "DRAIN_TIME"},
		"as long as the whole end":    {"DRAIN_TIME=10s", "DRAIN_TIME"},
		"a misspelt setting":          {"MYSQL_HOST=a:1", "MYSQL_HOST: there is no such setting"},
		"one of the service's own":    {"COLOUR_NAMES=red", "COLOUR_NAMES: there is no such setting"},
	} {
		_, err := config.Load[special](environ(t, test.setting))
		if test.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, test.want, name)
		}
	}
}
