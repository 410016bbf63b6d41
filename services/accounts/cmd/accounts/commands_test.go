package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/service"
	"oms.internal/libs/service/servicetest"
)

// environ is the environment that configures the process as cfg does.
func (s *surroundings) environ(t *testing.T) []string {
	t.Helper()
	return append(servicetest.Environ(t, s.cfg.Config),
		"IDEMPOTENCY_SECRET_FILE="+servicetest.File(t, string(s.cfg.IdempotencySecret)+"\n"),
		"TOKEN_KEYS_DIR="+s.cfg.TokenKeysDir, "PATH=/usr/bin")
}

func TestMigratingTwiceIsHarmlessAlsoAtTheSameMoment(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	environ := s.environ(t)
	migrations := make(chan error)
	for range 3 {
		go func() {
			migrations <- program().Command(context.Background(), []string{"migrate"}, environ, io.Discard)
		}()
	}
	require.NoError(t, errors.Join(<-migrations, <-migrations, <-migrations))
	s.fill(t, 3)
	before := s.content(t)
	require.NoError(t, program().Command(t.Context(), []string{"migrate"}, environ, io.Discard))
	require.Equal(t, before, s.content(t))
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM heartbeat"))
}

func TestTheServicesOwnUserMayNotChangeTheSchema(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.cfg.MySQLMigrateUser, s.cfg.MySQLMigratePassword = s.cfg.MySQLUser, s.cfg.MySQLPassword
	require.Error(t, program().Command(t.Context(), []string{"migrate"}, s.environ(t), io.Discard))
}

func TestEveryMistakeOfTheConfigurationIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	environ := []string{"MYSQL_HOST=localhost", "TOKEN_LIFETIME=long", "ACCOUNTS_DIRECTORY=closed", "TIME_ZONE=Mars/Olympus"}
	err := program().Command(t.Context(), nil, environ, io.Discard)
	for _, part := range []string{
		"MYSQL_HOST:", "MYSQL_HOSTS", "NATS_URL", "PRINCIPAL_PUBLIC_KEY_FILE", "TOKEN_KEYS_DIR", "IDEMPOTENCY_SECRET_FILE", "closed", "Mars/Olympus", "long",
	} {
		require.ErrorContains(t, err, part)
	}
}

func TestSettingsThatDoNotGoTogetherAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	err := program().Command(t.Context(), []string{"migrate"}, append(s.environ(t), "TOKEN_LIFETIME=0s", "DRAIN_TIME=10s", "SHUTDOWN_TIMEOUTS=1s"), io.Discard)
	for _, part := range []string{"configuration:", "TOKEN_LIFETIME: 0s is not positive", "DRAIN_TIME", "SHUTDOWN_TIMEOUTS: there is no such setting"} {
		require.ErrorContains(t, err, part)
	}
}

func TestAnUnknownCommandIsRefused(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	require.ErrorContains(t, program().Command(t.Context(), []string{"migrat"}, s.environ(t), io.Discard), `unknown command "migrat"`)
}

func TestAProcessThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, spoil := range map[string]func(*Config){
		taken.Addr().String(): func(cfg *Config) { cfg.HTTPAddr = taken.Addr().String() },
		"no.pub.pem":          func(cfg *Config) { cfg.PrincipalKeyFile = filepath.Join(t.TempDir(), "no.pub.pem") },
		"no keys":             func(cfg *Config) { cfg.TokenKeysDir = filepath.Join(t.TempDir(), "no keys") },
	} {
		s := newSurroundings(t)
		spoil(&s.cfg)
		require.ErrorContains(t, program().Serve(t.Context(), s.cfg, discard, func(service.Addresses) {}), name)
	}
}

func TestTheHealthCheckFollowsTheProcess(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	environ := []string{"ADMIN_ADDR=" + p.Admin.String()}
	require.NoError(t, program().Command(t.Context(), []string{"health"}, environ, io.Discard))
	require.NoError(t, p.Stop())
	require.Error(t, program().Command(t.Context(), []string{"health"}, environ, io.Discard))
}

func TestTheEndOfTheContextEndsTheProcessOnceWhatHasBegunIsAnswered(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.cfg.LastOrdersTimeout = time.Second
	p := s.start(t)
	p.fill(t, 1)
	requests := p.listen(t, orders.SubjectLast) // nobody answers, which keeps the request below busy for that second
	request := p.request(t, p.sign(t, admin), http.MethodGet, userPath(1), "", "")
	var got answer
	answered := make(chan error, 1)
	go func() {
		var err error
		got, err = answerTo(request)
		answered <- err
	}()
	_, err := requests.NextMsg(patience)
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	require.NoError(t, <-answered)
	require.Equal(t, http.StatusOK, got.status)
	for _, address := range []net.Addr{p.HTTP, p.Admin} {
		_, err := net.Dial("tcp", address.String())
		require.Error(t, err, "%s still listens", address)
	}
}

func TestTheAdminPortShowsMetricsOfRequestsAndPools(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	p.signUp(t, "a@x.test")
	metrics := (&process{p.surroundings, &servicetest.Process{Addresses: service.Addresses{HTTP: p.Admin}}}).send(t, "", http.MethodGet, "/metrics", "", "")
	require.Equal(t, http.StatusOK, metrics.status)
	require.Contains(t, metrics.body, `http_request_duration_seconds_count{method="POST",route="/accounts/users",status="201"} 1`)
	for _, host := range p.cfg.MySQLHosts {
		require.Contains(t, metrics.body, fmt.Sprintf(`go_sql_open_connections{db_name=%q}`, host))
	}
}
