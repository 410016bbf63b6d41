package main

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/router"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
)

func TestThePagesAreServedUnlessTheOperatorSwitchesThemOff(t *testing.T) {
	t.Parallel()
	for setting, served := range map[string]bool{"": true, "true": true, "false": false} {
		n := newNeighbours(t)
		if setting != "" {
			n.env["PAGES"] = setting
		}
		g := startReady(t, n)
		for _, row := range router.Pages {
			response, body := g.ask(t, http.MethodGet, row.Pattern, "a token does not matter")
			switch {
			case !served:
				require.Equal(t, http.StatusNotFound, response.StatusCode, row.Pattern)
				require.Contains(t, body, "Not found.")
			case row.Pattern == "/swagger" || row.Pattern == "/redoc":
				require.Equal(t, http.StatusMovedPermanently, response.StatusCode, row.Pattern)
			default:
				require.Equal(t, http.StatusOK, response.StatusCode, row.Pattern)
			}
		}
		response, _ := g.ask(t, http.MethodGet, "/orders/", n.token(t, 7, 70))
		require.Equal(t, http.StatusOK, response.StatusCode, "the API is there in any case")
	}
}

func TestTheStartPageTellsTheHealthOfTheServicesAndOfTheGatewayItself(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	var ready atomic.Int32
	answer := func(service string) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			principal, err := n.verifiers[service].Verify(request.Header.Get(assertion.Header))
			if request.URL.Path != httpx.PathReady || err != nil || principal != (authn.Principal{}) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			w.WriteHeader(int(ready.Load()))
		}
	}
	n.orders, n.accounts = answer("orders"), answer("accounts")
	g := startReady(t, n)
	for status, said := range map[int]string{http.StatusNoContent: "Everything answers", http.StatusServiceUnavailable: "Orders does not answer"} {
		ready.Store(int32(status))
		n.clock.Advance(time.Second)
		_, page := g.ask(t, http.MethodGet, "/", "")
		require.Contains(t, page, said)
		require.NotContains(t, page, "Gateway does not answer")
	}
	n.revoked.Fail(http.ErrServerClosed)
	n.clock.Advance(time.Hour)
	_, page := g.ask(t, http.MethodGet, "/", "")
	require.Contains(t, page, "Gateway does not answer", "it does not know which sessions ended")
}
