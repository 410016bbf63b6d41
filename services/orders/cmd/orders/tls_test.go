package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/service"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/testservers"
)

func TestTheProcessWorksOverTLSAndIsNotReadyWithoutVerifiedServers(t *testing.T) {
	t.Parallel()
	authority := testservers.NewAuthority(t)
	pair, broker := testservers.NewTLSPair(t, authority), testservers.NewTLSNATS(t, authority)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	cfg := Config{servicetest.On(t, orders.Service, pair, schema).Config}
	cfg.NATSURL, cfg.NATSPassword = broker.URL(), "password"
	own, other := authority.File, testservers.NewAuthority(t).File

	cfg.MySQLTLSCAFile, cfg.NATSTLSCAFile = own, own
	servicetest.Start(t, program(), cfg)
	for name, authorities := range map[string]struct{ mysql, nats string }{
		"database of another authority": {other, own}, "broker of another authority": {own, other},
	} {
		cfg.MySQLTLSCAFile, cfg.NATSTLSCAFile = authorities.mysql, authorities.nats
		unverified := servicetest.Launch(t, program(), cfg)
		require.Never(t, func() bool { return unverified.Readiness() == http.StatusOK }, 2*time.Second, 50*time.Millisecond, name)
	}
}

func TestAnAuthorityThatCannotBeReadEndsTheStart(t *testing.T) {
	t.Parallel()
	cfg := Config{servicetest.New(t, orders.Service).Config}
	for _, file := range []*string{&cfg.MySQLTLSCAFile, &cfg.NATSTLSCAFile} {
		*file = "/missing.pem"
		err := program().Serve(t.Context(), cfg, quiet(), func(service.Addresses) {})
		require.ErrorContains(t, err, "/missing.pem")
		*file = ""
	}
}
