package mysqlx_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/mysqlx"
)

// measured are the values of a cluster's metrics under their names and the values of their labels.
func measured(t *testing.T, cluster *mysqlx.Cluster) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(cluster.Metrics()...)
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return values
}

func TestReadsAreCountedByServerAndReason(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	awaitRead(t, cluster, onReplica)
	before := measured(t, cluster)
	for range 3 {
		_, err := where(t.Context(), cluster.ReadLatest)
		require.NoError(t, err)
		_, err = where(told(t, consistency.Newest), cluster.Read)
		require.NoError(t, err)
		_, err = where(t.Context(), cluster.Read)
		require.NoError(t, err)
	}
	after := measured(t, cluster)
	for _, name := range []string{"primary latest", "primary behind", "replica fresh"} {
		// The labels stand in the order of their names: reason, server.
		server, reason := name[:7], name[8:]
		key := "mysql_reads_total " + reason + " " + server
		require.InDelta(t, 3, after[key]-before[key], 0, key)
	}
	require.Contains(t, after, "mysql_replica_lag_seconds "+schema.pair.Replica.Addr())
	require.NotContains(t, after, "mysql_replica_lag_seconds "+schema.pair.Primary.Addr())
}

func TestSeriesOfReadsBeginAtZero(t *testing.T) {
	t.Parallel()
	cluster, err := mysqlx.Open(mysqlx.Config{Hosts: []string{"127.0.0.1:1"}}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Close()) })
	values := measured(t, cluster)
	for _, series := range []string{
		"fresh replica", "latest primary", "behind primary", "lagging primary", "no_replica primary", "failed primary", "missing primary",
	} {
		value, found := values["mysql_reads_total "+series]
		require.True(t, found, series)
		require.Zero(t, value, series)
	}
}

func TestAWholePairIsHealthyAndMeasured(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	awaitRead(t, cluster, onReplica)
	awaitMeasured(t, cluster, map[string]float64{"mysql_primary_writable": 1, "mysql_replicas": 1, "mysql_semi_sync_replicas": 1})
	eventually(t, func() bool { return cluster.Healthy() == nil })
}

// awaitMeasured waits until metrics have these values.
func awaitMeasured(t *testing.T, cluster *mysqlx.Cluster, wanted map[string]float64) {
	t.Helper()
	eventually(t, func() bool {
		values := measured(t, cluster)
		for name, value := range wanted {
			if found, there := values[name]; !there || found != value {
				return false
			}
		}
		return true
	})
}

// awaitUnhealthy waits until a cluster that is ready reports this.
func awaitUnhealthy(t *testing.T, cluster *mysqlx.Cluster, what string) {
	t.Helper()
	eventually(t, func() bool {
		err := cluster.Healthy()
		return err != nil && strings.Contains(err.Error(), what) && cluster.Ready() == nil
	})
}
