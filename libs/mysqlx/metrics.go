package mysqlx

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// reason is why a read went to a server.
type reason string

const (
	// Why a replica.
	fresh reason = "fresh" // it has what the caller must see

	// Why the primary.
	latest    reason = "latest"     // the caller asked for it
	behind    reason = "behind"     // no replica surely has what the caller must see
	lagging   reason = "lagging"    // every replica is too far behind for anybody
	noReplica reason = "no_replica" // none is up
	failed    reason = "failed"     // a replica failed the read
	missing   reason = "missing"    // a replica did not find it
)

type metrics struct {
	reads *prometheus.CounterVec
	lag   *prometheus.GaugeVec
}

func newMetrics() metrics {
	made := metrics{
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mysql_reads_total",
			Help: "Reads by the kind of server that was asked, and the reason.",
		}, []string{"server", "reason"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mysql_replica_lag_seconds",
			Help: "How long each replica has been without the next heartbeat.",
		}, []string{"host"}),
	}
	// All series exist from the start. A series that began with its first read would not show that read as an increase.
	made.reads.WithLabelValues(string(replica), string(fresh))
	for _, why := range []reason{latest, behind, lagging, noReplica, failed, missing} {
		made.reads.WithLabelValues(string(primary), string(why))
	}
	return made
}

func (m metrics) read(server role, why reason) {
	m.reads.WithLabelValues(string(server), string(why)).Inc()
}

// Metrics returns the metrics of the cluster and its pools, to be registered once.
func (c *Cluster) Metrics() []prometheus.Collector {
	all := []prometheus.Collector{c.metrics.reads, c.metrics.lag}
	for addr, pool := range c.Pools() {
		all = append(all, collectors.NewDBStatsCollector(pool, addr))
	}
	return all
}
