package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

func TestTheAuthorityForTLSIsGivenToTheConnectionWithTheBroker(t *testing.T) {
	t.Parallel()
	env := validEnv(t)
	cfg, err := config.Load[Config](environ(env))
	require.NoError(t, err)
	require.Empty(t, cfg.nats().TLSCAFile)
	env["NATS_TLS_CA_FILE"] = "nats.pem"
	cfg, err = config.Load[Config](environ(env))
	require.NoError(t, err)
	require.Equal(t, "nats.pem", cfg.nats().TLSCAFile)
}
