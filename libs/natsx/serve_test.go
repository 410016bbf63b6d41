package natsx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// blocked is a handler that tells when it begins and ends when it is released.
type blocked struct {
	begun, release chan struct{}
}

func newBlocked() blocked { return blocked{make(chan struct{}, 1000), make(chan struct{})} }

func (b blocked) handle(_ context.Context, asked question) (reply, error) {
	b.begun <- struct{}{}
	<-b.release
	return reply(asked), nil
}

func TestAFullPoolRefusesAtOnceAndForgetsNothingThatItAccepted(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	handler := newBlocked()
	serve(t, server, handler.handle)
	caller := connect(t, server, "caller")
	inbox := caller.NewInbox()
	answers, err := caller.SubscribeSync(inbox)
	require.NoError(t, err)
	send := func(count int) {
		body, err := json.Marshal(question{"accepted"})
		require.NoError(t, err)
		for range count {
			require.NoError(t, caller.PublishRequest(subject, inbox, body))
		}
	}
	send(natsx.Workers)
	for range natsx.Workers {
		<-handler.begun
	}
	send(natsx.QueueLength)
	// The order of one connection's messages is kept, so this one finds the queue full.
	_, err = ask(t, caller, "refused")
	require.True(t, fault.Is(err, fault.Unavailable), err)
	require.Positive(t, fault.Of(err).RetryAfter)

	close(handler.release)
	for range natsx.Workers + natsx.QueueLength {
		answer, err := answers.NextMsg(patient)
		require.NoError(t, err)
		require.JSONEq(t, `{"text": "accepted"}`, string(answer.Data))
	}
	answered, err := ask(t, caller, "served again")
	require.NoError(t, err)
	require.Equal(t, reply{"served again"}, answered)
}

func TestOneInstanceServesEachRequest(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	var mutex sync.Mutex
	served := map[string][]int{}
	for number := range 2 {
		serve(t, server, func(_ context.Context, asked question) (reply, error) {
			mutex.Lock()
			defer mutex.Unlock()
			served[asked.Text] = append(served[asked.Text], number)
			return reply(asked), nil
		})
	}
	caller := connect(t, server, "caller")
	const requests = 100
	for i := range requests {
		_, err := ask(t, caller, fmt.Sprint(i))
		require.NoError(t, err)
	}
	mutex.Lock()
	defer mutex.Unlock()
	require.Len(t, served, requests)
	shares := map[int]int{}
	for text, numbers := range served {
		require.Len(t, numbers, 1, text)
		shares[numbers[0]]++
	}
	require.Len(t, shares, 2, "the instances share the work")
}

func TestWhatHasBegunIsAnsweredDuringTheShutdown(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	handler := newBlocked()
	service := serve(t, server, handler.handle)
	caller := connect(t, server, "caller")
	type result struct {
		reply reply
		err   error
	}
	answered := make(chan result, 1)
	go func() {
		reply, err := ask(t, caller, "begun")
		answered <- result{reply, err}
	}()
	<-handler.begun
	service.stop()
	require.Eventually(t, func() bool {
		_, err := askWithin(t, caller, "late", 100*time.Millisecond)
		return fault.Is(err, fault.Unavailable)
	}, patient, time.Millisecond, "new requests are refused")
	require.Empty(t, service.ended, "it waits for what it has begun")
	close(handler.release)
	require.Equal(t, result{reply: reply{"begun"}}, <-answered)
	require.NoError(t, <-service.ended)
}

func TestEveryRequestOfABurstIsAnsweredWhileAnInstanceShutsDown(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, echo)
	leaving := serve(t, server, echo)
	caller := connect(t, server, "caller")
	var group sync.WaitGroup
	failures := make(chan error, 400)
	for range 8 {
		group.Go(func() {
			for range 50 {
				if _, err := ask(t, caller, "x"); err != nil && !fault.Is(err, fault.Unavailable) {
					failures <- err
				}
			}
		})
	}
	leaving.stop()
	require.NoError(t, <-leaving.ended)
	group.Wait()
	require.Empty(t, failures)
}

func TestAnEndpointThatCannotBeOfferedIsAnError(t *testing.T) {
	t.Parallel()
	conn := connect(t, testservers.NewNATS(t, ""), "service")
	require.Error(t, natsx.Serve(t.Context(), conn, "test", discard, natsx.NewEndpoint("do", "no subject", echo)))
	require.Error(t, natsx.Serve(t.Context(), conn, "no name", discard))
	require.Eventually(t, func() bool { return conn.NumSubscriptions() == 0 }, patient, time.Millisecond)
}

func TestManyFailuresAtOnceAllArrive(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, func(context.Context, question) (reply, error) { return reply{}, fault.NewNotFound() })
	var group sync.WaitGroup
	var missed atomic.Int64
	for range 8 {
		caller := connect(t, server, "caller")
		group.Go(func() {
			for range 200 {
				if _, err := ask(t, caller, "x"); !fault.Is(err, fault.NotFound) {
					missed.Add(1)
				}
			}
		})
	}
	group.Wait()
	require.Zero(t, missed.Load())
}
