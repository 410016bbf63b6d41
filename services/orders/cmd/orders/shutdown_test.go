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
	answered := make(chan answer, 1)
	go func() {
		// It waits for accounts: that needs NATS, and then the database, both of which must outlive HTTP.
		got, err := from.try(t.Context(), message{
			method: http.MethodPost, path: "/orders/", contentType: "application/json", body: `{"customer": 2, "product_name": "p"}`,
		})
		if err != nil {
			got.text = err.Error()
		}
		answered <- got
	}()
	<-began
	p.Cancel()
	require.Eventually(t, func() bool { return p.Readiness() == http.StatusServiceUnavailable }, patience, poll)
	close(release)
	got := <-answered
	require.Equal(t, http.StatusCreated, got.status, got.text)
	require.NoError(t, p.Ended())
	require.Equal(t, 1, p.orders(t))
	require.Zero(t, p.Readiness(), "the admin port is closed")
}

func TestARestartKeepsTheOrders(t *testing.T) {
	t.Parallel()
	p := start(t)
	path := p.as(t, alice).order(t, "KEPT00000001", "p")
	before := p.as(t, alice).get(t, path)
	require.NoError(t, p.Stop())
	p.run(t)
	require.Equal(t, before.body, p.as(t, alice).get(t, path).body)
}

func TestWithoutItsBrokerAStartedProcessServesWhatNeedsNone(t *testing.T) {
	t.Parallel()
	p := start(t)
	require.NoError(t, p.Broker.Kill())
	path := p.as(t, alice).order(t, "ALONE0000001", "p")
	require.Equal(t, http.StatusOK, p.as(t, alice).get(t, path).status)
	require.Equal(t, []string{"ALONE0000001"}, p.as(t, boss).toldOfAll().list(t, "/orders/?search=alone"))
	p.as(t, boss).post(t, `{"customer": 2, "product_name": "p"}`).requireProblem(t, http.StatusServiceUnavailable)
	require.Equal(t, http.StatusOK, p.Readiness())

	require.NoError(t, p.Broker.Restart(t.Context()))
	require.Eventually(t, func() bool {
		return p.as(t, boss).post(t, `{"customer": 2, "product_name": "p"}`).status == http.StatusCreated
	}, patience, poll)
	p.awaitNATS(t)
}
