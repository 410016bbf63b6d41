package peers

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/consistency"
	"oms.internal/libs/natsx"
	"oms.internal/orders/internal/order"
)

const (
	// writesWaiting is how many writes wait to be told to the gateways. What exceeds them is not told: the gateway that
	// passed a write on knows of it by the answer, so that only others' reads may be a moment older.
	writesWaiting = 1024
	tellTimeout   = time.Second
)

// Writes is order.Writes: a memory of this process, a header for the gateway that passed the request on (httpx.Consistency),
// and a message to all gateways.
type Writes struct {
	memory *consistency.Memory
	conn   *nats.Conn
	log    *slog.Logger
	queue  chan consistency.Written
	full   atomic.Bool // since the queue was empty, so that it is logged once
}

var _ order.Writes = (*Writes)(nil)

// NewWrites returns a teller on the process's connection. Nothing is told before Run.
func NewWrites(memory *consistency.Memory, conn *nats.Conn, log *slog.Logger) *Writes {
	return &Writes{memory: memory, conn: conn, log: log, queue: make(chan consistency.Written, writesWaiting)}
}

// Tell notes the members of what was written in ctx, if anything was, and never waits. An id of 0 is nobody.
func (w *Writes) Tell(ctx context.Context, memberIDs ...uint64) {
	token := consistency.WrittenBy(ctx)
	if token == 0 {
		return
	}
	told := consistency.Written{Token: token}
	for _, id := range memberIDs {
		w.memory.Raise(id, token)
		if id != 0 && !slices.Contains(told.MemberIDs, id) {
			told.MemberIDs = append(told.MemberIDs, id)
		}
	}
	consistency.Tell(ctx, told.MemberIDs...)
	select {
	case w.queue <- told:
	default:
		if !w.full.Swap(true) {
			w.log.WarnContext(ctx, "gateways not told of writes: too many wait")
		}
	}
}

// Run tells the gateways until ctx ends, and then what still waits.
func (w *Writes) Run(ctx context.Context) error {
	for {
		select {
		case told := <-w.queue:
			w.publish(ctx, told)
			continue
		default:
			w.full.Store(false)
		}
		select {
		case told := <-w.queue:
			w.publish(ctx, told)
		case <-ctx.Done():
			return nil
		}
	}
}

func (w *Writes) publish(ctx context.Context, told consistency.Written) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	if err := natsx.Publish(ctx, w.conn, consistency.SubjectWritten, told); err != nil {
		w.log.DebugContext(ctx, "gateways not told of a write", "error", err)
	}
}
