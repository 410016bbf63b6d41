package main

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheEndAnswersRequestsThatHaveBegun(t *testing.T) {
	t.Parallel()
	p := start(t)
	began, release := make(chan struct{}), make(chan struct{})
	p.accounts.before = sync.OnceFunc(func() {
		close(began)
		<-release
	})
	from := p.as(t, boss)
	status, problem := make(chan int, 1), make(chan error, 1)
	go func() {
		// It waits for accounts: that needs NATS, and then the database, both of which must outlive HTTP.
		got, err := from.try(t.Context(), http.MethodPost, "/orders/", orderForBob)
		status <- got.status
		problem <- err
	}()
	<-began
	p.Cancel()
	require.Eventually(t, func() bool { return p.Readiness() == http.StatusServiceUnavailable }, patience, poll)
	close(release)
	require.Equal(t, http.StatusCreated, <-status)
	require.NoError(t, <-problem)
	require.NoError(t, p.Ended())
	require.Equal(t, 1, p.count(t, "orders"))
	require.Zero(t, p.Readiness(), "the admin port is closed")
}

func TestWithoutItsBrokerAProcessServesWhatNeedsNoneAndPublishesEventsLater(t *testing.T) {
	t.Parallel()
	p := start(t)
	require.NoError(t, p.Broker.Kill())
	path := p.as(t, alice).order(t, "ALONE0000001")
	require.Equal(t, http.StatusOK, p.as(t, alice).send(t, http.MethodGet, path, "").status)
	searched := p.as(t, boss).send(t, http.MethodGet, "/orders/?search=alone", "")
	require.Len(t, searched.body["results"], 1)
	require.Equal(t, "customer_search", searched.header.Get("Degraded"))
	refused, err := p.as(t, boss).try(t.Context(), http.MethodPost, "/orders/", orderForBob)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.Equal(t, http.StatusOK, p.Readiness())
	require.Equal(t, 1, p.count(t, "outbox WHERE published_at IS NULL AND subject LIKE '%created%'"))

	require.NoError(t, p.Broker.Restart(t.Context()))
	require.Equal(t, http.StatusCreated, p.as(t, boss).send(t, http.MethodPost, "/orders/", orderForBob).status)
	require.Eventually(t, func() bool { return p.count(t, "outbox WHERE published_at IS NULL") == 0 }, patience, poll)
	require.Equal(t, 2, p.count(t, "outbox WHERE subject LIKE '%created%'"))
	p.awaitNATS(t)
}
