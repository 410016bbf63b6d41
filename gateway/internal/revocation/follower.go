package revocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

const (
	pullTimeout   = 2 * time.Second // for one page
	retryInterval = 500 * time.Millisecond
	// pullInterval bounds how long a revocation can stay unheard that accounts could not publish, because it had lost
	// its own connection when ours stood.
	pullInterval = time.Minute
)

// Follower keeps a Memory up to date over NATS.
type Follower struct {
	*Memory
	conn     *nats.Conn
	log      *slog.Logger
	interval time.Duration
	complete atomic.Bool
}

// NewFollower returns a follower that works once Run has been called.
func NewFollower(memory *Memory, conn *nats.Conn, log *slog.Logger) *Follower {
	return &Follower{Memory: memory, conn: conn, log: log, interval: pullInterval}
}

// Ready returns an error until all revocations have been received once. A later loss of NATS does not make it unready:
// what passes through this gateway is still heard, and refusing everybody would be the larger harm.
func (f *Follower) Ready() error {
	if !f.complete.Load() {
		return errors.New("revocations not received from accounts yet")
	}
	return nil
}

// Run follows until ctx ends. It does not fail while NATS or accounts is away.
func (f *Follower) Run(ctx context.Context) error {
	connected := f.conn.StatusChanged(nats.CONNECTED)
	defer f.conn.RemoveStatusListener(connected)
	// Subscribed before the first pull: what is revoked in between is heard at least once. nats.go subscribes again
	// after a reconnect, before it lets the next pull through.
	subscription, err := f.conn.Subscribe(accounts.SubjectRevoked, func(message *nats.Msg) {
		if err := f.addMessage(message.Data); err != nil {
			f.log.Error("published revocations", "error", err)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", accounts.SubjectRevoked, err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	for {
		f.pullUntilComplete(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-connected:
		case <-time.After(f.interval):
		}
	}
}

// pullUntilComplete returns when all revocations have been received or ctx has ended.
func (f *Follower) pullUntilComplete(ctx context.Context) {
	complained := false
	for {
		count, err := f.pull(ctx)
		if err == nil {
			level := slog.LevelDebug
			if !f.complete.Swap(true) || complained {
				level = slog.LevelInfo
			}
			f.log.Log(ctx, level, "revocations received", "count", count)
			return
		}
		if ctx.Err() == nil && !complained {
			f.log.Warn("revocations not received; trying on", "error", err)
			complained = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryInterval):
		}
	}
}

// pull asks for all revocations, page by page, and returns how many there were.
func (f *Follower) pull(ctx context.Context) (count int, err error) {
	after := uint64(0)
	for {
		page, err := f.pullPage(ctx, after)
		if err != nil {
			return count, err
		}
		f.Add(page)
		count += len(page)
		if len(page) < accounts.MaxRevocations {
			return count, nil
		}
		last := page[len(page)-1].SessionID
		if last <= after {
			return count, fmt.Errorf("page after session %d ends with session %d", after, last)
		}
		after = last
	}
}

func (f *Follower) pullPage(ctx context.Context, after uint64) ([]accounts.Revocation, error) {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	request := accounts.RevocationsRequest{AfterSession: after}
	reply, err := natsx.Call[accounts.Revocations](ctx, f.conn, accounts.SubjectRevocations, request)
	return reply.Revocations, err
}
