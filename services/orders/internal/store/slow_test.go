package store_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
)

func TestSearchesThatTakeLongLeaveRoomForAllOtherReads(t *testing.T) {
	t.Parallel()
	d := newShop(t)
	const places = 36 // those that run and those that wait
	release := make(chan struct{})
	var begun, ended sync.WaitGroup
	for range 4 {
		begun.Add(1)
		ended.Go(func() {
			_ = d.Cluster.ReadSlowly(t.Context(), func(context.Context, mysqlx.Reader) error {
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
			_, err := d.Orders(d.told(t), order.Query{Request: listing.Request{Limit: 1, Terms: []string{"x"}}})
			refusals <- err
		}()
	}
	for range 2 * places {
		err := <-refusals
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Positive(t, fault.Of(err).RetryAfter)
	}
	for name, query := range map[string]order.Query{
		"all":                {Request: listing.Request{Limit: 1}},
		"those of a member":  {Request: listing.Request{Limit: 1}.Only("customer", uint64(1))},
		"those of a product": {Request: listing.Request{Limit: 1}.Only("product_name", "x")},
	} {
		_, err := d.Orders(d.told(t), query)
		require.NoError(t, err, name)
	}
}
