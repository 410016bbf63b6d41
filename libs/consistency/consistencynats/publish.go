// Package consistencynats is the NATS end of package consistency: services publish what was written, and gateways listen,
// so that each of them knows what passed through the others. A message that is lost costs only clients that send no
// token: through another gateway they may be shown, for a moment, less than they were told.
package consistencynats

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/consistency"
	"oms.internal/libs/natsx"
)

const (
	// maxWaiting is how many messages wait to be published. Those beyond are dropped.
	maxWaiting     = 1024
	publishTimeout = time.Second
)

// Publisher publishes what was written, without making the requests wait that wrote it.
type Publisher struct {
	conn    *nats.Conn
	log     *slog.Logger
	waiting chan consistency.Written
	full    atomic.Bool // since nothing waited, so that it is logged once
}

// NewPublisher returns a publisher on the process's connection. Nothing is published before Run.
func NewPublisher(conn *nats.Conn, log *slog.Logger) *Publisher {
	return &Publisher{conn: conn, log: log, waiting: make(chan consistency.Written, maxWaiting)}
}

// Publish has Run publish a message. It never waits.
func (p *Publisher) Publish(written consistency.Written) {
	select {
	case p.waiting <- written:
	default:
		if !p.full.Swap(true) {
			p.log.Warn("writes not published: too many wait")
		}
	}
}

// Run publishes until ctx ends, and then, while NATS is there, what still waits.
func (p *Publisher) Run(ctx context.Context) error {
	for {
		if len(p.waiting) == 0 {
			p.full.Store(false)
		}
		select {
		case written := <-p.waiting:
			p.send(ctx, written)
		case <-ctx.Done():
			for len(p.waiting) > 0 && p.conn.IsConnected() {
				p.send(ctx, <-p.waiting)
			}
			return nil
		}
	}
}

func (p *Publisher) send(ctx context.Context, written consistency.Written) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	if err := natsx.Publish(ctx, p.conn, consistency.SubjectWritten, written); err != nil {
		p.log.DebugContext(ctx, "write not published", "error", err)
	}
}
