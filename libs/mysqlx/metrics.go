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
	full  *prometheus.CounterVec
	clock *prometheus.GaugeVec
}

func newMetrics() metrics {
	made := metrics{
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mysql_reads_total",
			Help: "Reads by the kind of server that was asked, and the reason.",
		}, []string{"server", "reason"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mysql_replica_lag_seconds",
			Help: "How long each replica has been without the next heartbeat, also while it does not answer.",
		}, []string{"host"}),
		clock: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mysql_clock_difference_seconds",
			Help: "How far the clock of a server was ahead of this machine's when it last answered.",
		}, []string{"host"}),
		full: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mysql_full_errors_total",
			Help: "Work that a server refused because a disk is full or memory is short.",
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
	all := append(c.slow.Collectors(),
		c.metrics.reads, c.metrics.lag, c.metrics.full, c.metrics.clock,
		gauge("mysql_primary_writable", "1 while there is one primary and it commits, else 0.", func() float64 {
			if c.Ready() != nil {
				return 0
			}
			return 1
		}),
		gauge("mysql_replicas", "Replicas that answer.", func() float64 { return float64(c.replicas()) }),
		gauge("mysql_semi_sync_replicas", "Replicas for which commits wait; 0 while nothing is committed, too.", func() float64 {
			if c.Ready() != nil {
				return 0
			}
			return float64(max(c.semiSync.Load(), 0))
		}),
	)
	for addr, pool := range c.Pools() {
		all = append(all, collectors.NewDBStatsCollector(pool, addr))
	}
	return all
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// replicas is how many replicas answer.
func (c *Cluster) replicas() (count int) {
	for _, host := range c.hosts {
		if host.current().role == replica {
			count++
		}
	}
	return count
}
