package fairshare

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func TestOneClientAloneGetsHalfAndThereIsRoomForOneWhoComesNext(t *testing.T) {
	t.Parallel()
	pool := NewPool[string]("places", 100)
	takeAll := func(client string) (taken int) {
		for pool.Take(client, 1) == nil {
			taken++
		}
		return taken
	}
	require.Equal(t, 50, takeAll("a"))
	require.Equal(t, 25, takeAll("b"))
	require.Equal(t, 13, takeAll("c"))
	require.NoError(t, pool.Take("d", 5))
	require.Equal(t, 93, pool.Used())

	pool.Give("a", 50)
	require.Equal(t, 16, takeAll("b"), "the share grows with what is free")
}

func TestARefusalSaysWhetherTheClientOrEverybodyHasTooMuch(t *testing.T) {
	t.Parallel()
	pool := NewPool[int]("places", 4)
	require.NoError(t, pool.Take(1, 2))
	err := pool.Take(1, 1)
	require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
	require.Equal(t, retryAfter, fault.Of(err).RetryAfter)
	require.NoError(t, pool.Take(2, 1))
	require.NoError(t, pool.Take(3, 1))
	for client := range 5 {
		err = pool.Take(client, 1)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Equal(t, retryAfter, fault.Of(err).RetryAfter)
	}
	require.Equal(t, map[string]float64{
		`fairshare_refusals_total{reason="full",resource="places"}`: 5, `fairshare_refusals_total{reason="share",resource="places"}`: 1,
		`fairshare_used{resource="places"}`: 4,
	}, gathered(t, pool.Collectors()))
}

func TestUnitsAreTakenAllOrNone(t *testing.T) {
	t.Parallel()
	pool := NewPool[string]("bytes", 100)
	require.Error(t, pool.Take("a", 101))
	require.Zero(t, pool.Used())
	require.NoError(t, pool.Take("a", 40))
	require.Error(t, pool.Take("a", 30))
	require.Equal(t, 40, pool.Used())
	pool.Give("a", 15)
	pool.Give("a", 25)
	require.Zero(t, pool.Used())
	require.Empty(t, pool.held, "a client that holds nothing is forgotten")
}

// gathered reads metrics by their series.
func gathered(t *testing.T, collectors []prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collectors...)
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			series := family.GetName() + "{"
			for i, label := range metric.GetLabel() {
				if i > 0 {
					series += ","
				}
				series += label.GetName() + `="` + label.GetValue() + `"`
			}
			values[series+"}"] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return values
}
