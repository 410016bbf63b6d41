package httpx_test

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
)

func TestAServiceTellsItsGatewayAndNobodyElseWhetherItIsReady(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signed, err := assertion.NewSigner(private, time.Now).Sign(authn.Principal{}, "orders")
	require.NoError(t, err)
	var ready atomic.Bool
	s := start(t, nil, func(app *fiber.App) {
		httpx.TellReady(app, assertion.NewVerifier(public, "orders", time.Now), func() error {
			if ready.Load() {
				return nil
			}
			return errors.New("mysql: the primary at 10.0.0.1 is down")
		})
	})
	for isReady, status := range map[bool]int{true: http.StatusNoContent, false: http.StatusServiceUnavailable} {
		ready.Store(isReady)
		got := s.do(t, http.MethodGet, httpx.PathReady, "", assertion.Header, signed)
		require.Equal(t, status, got.status)
		require.NotContains(t, got.body, "mysql")
		require.Equal(t, http.StatusUnauthorized, s.do(t, http.MethodGet, httpx.PathReady, "").status)
	}
}
