package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

func TestRotationsUnderLoadFailNoRequest(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["RATE_LIMIT_MEMBER"], n.env["RATE_LIMIT_ADDRESS"] = "0", "0"
	where := startReady(t, n)
	var mu sync.Mutex
	newest := func() *testkit.Issuer {
		mu.Lock()
		defer mu.Unlock()
		return n.issuers[len(n.issuers)-1]
	}
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for ctx.Err() == nil {
				if response, body := ask(t, where, http.MethodGet, "/orders/", newest().Token(t, 7, 70)); response.StatusCode != http.StatusOK {
					t.Errorf("status %d: %s", response.StatusCode, body)
				}
			}
		})
	}
	for range 10 {
		issuer := testkit.NewIssuer(t)
		n.publishKey(issuer)
		mu.Lock()
		n.issuers = append(n.issuers, issuer)
		mu.Unlock()
		response, _ := ask(t, where, http.MethodGet, "/orders/", issuer.Token(t, 7, 70))
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	stop()
	load.Wait()
}

func TestAccountsHearsWhichSessionsAreUsed(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	where := startReady(t, n)
	heard := make(chan accounts.LastSeenRequest, 10)
	inBackground(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, n.published, "seen", slog.New(slog.DiscardHandler), natsx.NewEndpoint("seen",
			accounts.SubjectLastSeen, func(_ context.Context, request accounts.LastSeenRequest) (accounts.LastSeenReply, error) {
				heard <- request
				return accounts.LastSeenReply{}, nil
			}))
	})
	for range 3 {
		_, _ = ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 7, 70))
	}
	_, _ = ask(t, where, http.MethodGet, "/orders/", "refused")
	select {
	case request := <-heard:
		require.Len(t, request.Sessions, 1)
		require.Equal(t, uint64(70), request.Sessions[0].SessionID)
		require.WithinDuration(t, time.Now(), request.Sessions[0].At, patience)
	case <-time.After(patience):
		require.Fail(t, "nothing is reported")
	}
}
