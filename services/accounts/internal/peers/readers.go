package peers

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/consistency"
	"oms.internal/libs/natsx"
)

const (
	// waitingWritten is how many messages wait for NATS. What does not fit is dropped: it is about a moment that is over
	// before the rest is sent, and the gateway that passed the write on knows of it by the answer.
	waitingWritten = 256
	writtenTimeout = 100 * time.Millisecond
)

// Readers is account.Readers: this process's memory, the gateway that asks, and over NATS all other gateways.
type Readers struct {
	memory  *consistency.Memory
	conn    *nats.Conn
	log     *slog.Logger
	waiting chan consistency.Written
}

var _ account.Readers = (*Readers)(nil)

// NewReaders returns readers that hear nothing over NATS until Run.
func NewReaders(memory *consistency.Memory, conn *nats.Conn, log *slog.Logger) *Readers {
	return &Readers{memory: memory, conn: conn, log: log, waiting: make(chan consistency.Written, waitingWritten)}
}

// Wrote remembers the token of what the request has written for these members, and has it told. It does not wait.
func (r *Readers) Wrote(ctx context.Context, memberIDs ...uint64) {
	token := consistency.WrittenBy(ctx)
	if token == 0 {
		return
	}
	memberIDs = slices.Compact(memberIDs)
	for _, id := range memberIDs {
		r.memory.Raise(id, token)
	}
	consistency.Tell(ctx, memberIDs...)
	select {
	case r.waiting <- consistency.Written{MemberIDs: memberIDs, Token: token}:
	default:
		r.log.WarnContext(ctx, "gateways are not told of a write; too many are waiting")
	}
}

// Run tells the gateways until ctx ends, then of what still waits.
func (r *Readers) Run(ctx context.Context) error {
	for {
		select {
		case written := <-r.waiting:
			r.tell(context.WithoutCancel(ctx), written)
		case <-ctx.Done():
			for len(r.waiting) > 0 && r.conn.IsConnected() {
				r.tell(context.WithoutCancel(ctx), <-r.waiting)
			}
			return nil
		}
	}
}

func (r *Readers) tell(ctx context.Context, written consistency.Written) {
	ctx, cancel := context.WithTimeout(ctx, writtenTimeout)
	defer cancel()
	if err := natsx.Publish(ctx, r.conn, consistency.SubjectWritten, written); err != nil {
		r.log.DebugContext(ctx, "gateways are not told of a write", "error", err)
	}
}
