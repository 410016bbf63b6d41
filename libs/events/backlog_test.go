package events_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/events"
	"oms.internal/servers/testservers"
)

func TestEventsThatWaitAreCountedAndMakeTheRelayUnhealthyWhateverHoldsThem(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	tell(t, db, 3)
	conn := world.connect(t)
	conn.Close()
	relay := events.NewRelay(db, conn, events.RelayOptions{Log: discard, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(relay.Metrics()...)
	measured := func() map[string]float64 {
		families, err := registry.Gather()
		require.NoError(t, err)
		values := map[string]float64{}
		for _, family := range families {
			values[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
		}
		return values
	}
	require.Equal(t, map[string]float64{"outbox_waiting_events": 0, "outbox_oldest_event_seconds": 0}, measured())
	testservers.Run(t, relay.Run)
	require.Eventually(t, func() bool { return measured()["outbox_waiting_events"] == 3 }, patient, patience)
	require.GreaterOrEqual(t, measured()["outbox_oldest_event_seconds"], time.Hour.Seconds())
	require.ErrorContains(t, relay.Healthy(), "3 events wait to be published, for up to 1h")
}
