package natsx

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/consistency"
)

const (
	// waitingWrites is how many writes wait to be told to the gateways. What exceeds them is not told: the gateway that
	// passed a write on knows of it by the answer, so that only others' reads may be a moment older.
	waitingWrites = 1024
	tellTimeout   = time.Second
)

// WriteNotifier tells which members must see what a request has written: the memory of this process, the gateway that passed
// the request on (by httpx.Consistency), and over NATS all gateways.
type WriteNotifier struct {
	memory  *consistency.Memory
	conn    *nats.Conn
	log     *slog.Logger
	waiting chan consistency.Written
	full    atomic.Bool // since nothing waited, so that it is logged once
}

// NewWriteNotifier returns a notifier on the process's connection. Nothing is told over it before Run.
func NewWriteNotifier(memory *consistency.Memory, conn *nats.Conn, log *slog.Logger) *WriteNotifier {
	return &WriteNotifier{memory: memory, conn: conn, log: log, waiting: make(chan consistency.Written, waitingWrites)}
}

// Wrote notes the members of what was written in ctx, if anything was, and never waits. An id of 0 is nobody.
func (n *WriteNotifier) Wrote(ctx context.Context, memberIDs ...uint64) {
	written := consistency.Written{Token: consistency.WrittenBy(ctx)}
	if written.Token == 0 {
		return
	}
	for _, id := range memberIDs {
		if id != 0 && !slices.Contains(written.MemberIDs, id) {
			n.memory.Raise(id, written.Token)
			written.MemberIDs = append(written.MemberIDs, id)
		}
	}
	consistency.Tell(ctx, written.MemberIDs...)
	select {
	case n.waiting <- written:
	default:
		if !n.full.Swap(true) {
			n.log.WarnContext(ctx, "gateways not told of writes: too many wait")
		}
	}
}

// Run tells the gateways until ctx ends, and then, while NATS is there, of what still waits.
func (n *WriteNotifier) Run(ctx context.Context) error {
	for {
		if len(n.waiting) == 0 {
			n.full.Store(false)
		}
		select {
		case written := <-n.waiting:
			n.tell(ctx, written)
		case <-ctx.Done():
			for len(n.waiting) > 0 && n.conn.IsConnected() {
				n.tell(ctx, <-n.waiting)
			}
			return nil
		}
	}
}

func (n *WriteNotifier) tell(ctx context.Context, written consistency.Written) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	if err := Publish(ctx, n.conn, consistency.SubjectWritten, written); err != nil {
		n.log.DebugContext(ctx, "gateways not told of a write", "error", err)
	}
}
