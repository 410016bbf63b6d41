// Package natsx is request/reply between services over NATS: one connection a process, requests with a deadline, errors
// that keep their code on the way, and handlers that run in a bounded pool.
package natsx

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says which server to use, and as whom.
type Config struct {
	URL      string // one or more nats:// URLs, separated by commas
	User     string // also the name of the connection and of its inbox
	Password string
	// TLSCAFile is a PEM file of the authorities that sign the servers' certificates. With it the connection is
	// encrypted, or refused: a server without TLS, or with a certificate that is not for its host, never learns the
	// password. It is read again at each connection. "" is without TLS, unless the server demands it.
	TLSCAFile string
}

const (
	reconnectWait = 250 * time.Millisecond
	// connectTimeout bounds one attempt to connect.
	connectTimeout = time.Second
	// pingInterval is how often the server is asked whether it is there. At the fifth time in a row, when mostUnanswered answers are
	// missing, the connection ends. So a server that hangs is noticed after 4 to 5 s, and for no longer can a message that is not a
	// reply, such as a revocation, be missed without noticing. A server that is merely slow for so long has answered no request in time
	// either, and what a false alarm costs is small: the process connects again at once, and its streams and revocations go on from where
	// they were. A process that itself stands still misses no answer, because it does not ask meanwhile.
	pingInterval   = time.Second
	mostUnanswered = 4
)

// Connect opens the process's connection. It returns at once, also while no server answers, and goes on trying for
// ever. What is sent while it is not connected fails at once; nothing is kept for later, since a late request is worse
// than a failed one.
func Connect(config Config, log *slog.Logger) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(config.User),
		nats.UserInfo(config.User, config.Password),
		nats.CustomInboxPrefix(inboxPrefix + "_" + config.User),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1),
		// A server that refuses the password twice may be one whose configuration is being replaced.
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(mostUnanswered),
		nats.Timeout(connectTimeout),
		nats.ConnectHandler(func(conn *nats.Conn) { log.Info("nats connected", "server", conn.ConnectedUrlRedacted()) }),
		nats.ReconnectHandler(func(conn *nats.Conn) { log.Info("nats connected again", "server", conn.ConnectedUrlRedacted()) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // there is none when this process closes the connection
				log.Warn("nats disconnected", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Error("nats", "subject", subject, "error", err)
		}),
		nats.ReconnectErrHandler(logChanges(log)),
	}
	if config.TLSCAFile != "" {
		options = append(options, nats.RootCAs(config.TLSCAFile))
	}
	conn, err := nats.Connect(config.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return conn, nil
}

// logChanges logs why an attempt to connect failed, but not again while it fails for the same reason: there are several
// attempts a second. nats.go calls its handlers one after the other.
func logChanges(log *slog.Logger) nats.ConnErrHandler {
	last := ""
	return func(_ *nats.Conn, err error) {
		if reason := err.Error(); reason != last {
			last = reason
			log.Warn("nats cannot connect", "error", err)
		}
	}
}

// Ready returns a check for lifecycle.Part: nil once the connection has stood. A process that has started goes on without
// its broker.
func Ready(conn *nats.Conn) func() error {
	var connected atomic.Bool
	return func() error {
		if connected.Load() || conn.IsConnected() {
			connected.Store(true)
			return nil
		}
		return errNotConnected
	}
}

// Connected is a gauge of the connection, to be registered once.
func Connected(conn *nats.Conn) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nats_connected", Help: "1 while the connection to NATS stands, else 0.",
	}, func() float64 {
		if conn.IsConnected() {
			return 1
		}
		return 0
	})
}

// Healthy returns a check for lifecycle.Part: nil while the connection stands.
func Healthy(conn *nats.Conn) func() error {
	return func() error {
		if !conn.IsConnected() {
			return errNotConnected
		}
		return nil
	}
}

var errNotConnected = errors.New("not connected")
