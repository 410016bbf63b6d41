package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/service"
)

func TestMigratingTwiceIsHarmlessAlsoAtTheSameMoment(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	environ := s.environ(t)
	migrate := func() error { return program().Command(context.Background(), []string{"migrate"}, environ, io.Discard) }
	migrations := make(chan error)
	for range 3 {
		go func() { migrations <- migrate() }()
	}
	require.NoError(t, errors.Join(<-migrations, <-migrations, <-migrations))
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

func TestAProcessWithoutKeysDoesNotStartAndSaysWhy(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(cfg *Config, path string){
		"no.pub.pem": func(cfg *Config, path string) { cfg.PrincipalKeyFile = path },
		"no keys":    func(cfg *Config, path string) { cfg.TokenKeysDir = path },
	} {
		s := newSurroundings(t)
		spoil(&s.cfg, filepath.Join(t.TempDir(), name))
		require.ErrorContains(t, program().Serve(t.Context(), s.cfg, discard, func(service.Addresses) {}), name)
	}
}
