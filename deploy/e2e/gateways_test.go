package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/systemtest"
)

// gateway is a second one beside that of the system, with the same settings but for its ports.
type gateway struct{ *systemtest.Instance }

// startGateway starts another gateway and waits until it is ready. It ends with the test.
func startGateway(t *testing.T) gateway {
	t.Helper()
	second, err := system.NewInstance("gateway-2", "gateway")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, second.Kill()) })
	require.NoError(t, second.Restart(t.Context()))
	return gateway{second}
}

// client returns a client of this gateway with the token.
func (g gateway) client(token string) client {
	c := newClient().as(token)
	c.base = g.URL
	return c
}
