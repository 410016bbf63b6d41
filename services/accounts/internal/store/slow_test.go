package store_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
)

func TestSearchesThatTakeLongLeaveRoomForAllOtherReads(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, _ := f.create(t, dream)
	const places = 36 // those that run and those that wait
	release := make(chan struct{})
	var begun, ended sync.WaitGroup
	for range 4 {
		begun.Add(1)
		ended.Go(func() {
			_ = f.Cluster.ReadSlowly(t.Context(), func(context.Context, mysqlx.Reader) error {
				begun.Done()
				<-release
				return nil
			})
		})
	}
	begun.Wait()
	defer ended.Wait()
	defer close(release)
	refusals := make(chan error, 2*places)
	for range 2 * places {
		go func() {
			_, err := f.Members(latest(t), account.Query{Request: listing.Request{Limit: 1, Terms: []string{"x"}}})
			refusals <- err
		}()
	}
	for range 2 * places {
		err := <-refusals
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Positive(t, fault.Of(err).RetryAfter)
	}
	_, err := f.MatchingMembers(latest(t), []string{"x"}, 0, 1)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	several := listing.Request{Limit: 1}.Only("action", "login").Only("outcome", "success")
	_, err = f.AuditEvents(latest(t), several)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	_, err = f.AuditEvents(latest(t), listing.Request{Limit: 1}.Only("action", "login"))
	require.NoError(t, err)
	for name, query := range map[string]account.Query{
		"all":      {Request: listing.Request{Limit: 1}},
		"an email": {Request: listing.Request{Limit: 1}.Only("email", "x@y.test")},
		"a name":   {Request: listing.Request{Limit: 1}.Only("name", "x")},
	} {
		_, err := f.Members(latest(t), query)
		require.NoError(t, err, name)
	}
	_, err = f.Member(latest(t), member.ID)
	require.NoError(t, err)
	_, err = f.MatchingMembers(latest(t), []string{"x"}, member.ID, 1)
	require.NoError(t, err)
}
