// Package readyourwrites decides what a service must show to a member: all that this gateway or another one has told it, so
// that no replica that is behind answers the member's next request.
//
// It is the gateway's part of package consistency: it learns from the answers that pass through this gateway, before the
// client gets them, and over NATS of those that passed through others. From which server a service reads is not decided
// here.
package readyourwrites

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/consistency/consistencynats"
)

// unsureFor is how long a gateway that has just started requires the newest of everything, since it does not know what it
// told before. It is longer than the 2 s by which a replica that serves may be behind.
const unsureFor = 3 * time.Second

// Members is what members were told. Its methods may be called from many goroutines.
type Members struct {
	memory *consistency.Memory
	conn   *nats.Conn
	log    *slog.Logger
	now    func() time.Time
	since  time.Time
}

// New returns an empty memory, with a clock. It hears of writes over NATS once Run has been called.
func New(conn *nats.Conn, log *slog.Logger, now func() time.Time) *Members {
	return &Members{memory: consistency.NewMemory(now), conn: conn, log: log, now: now, since: now()}
}

// Required is what a request of the member must see: what the member was told, and what the request itself bears. The latter
// is not remembered, because it is only the client's word. Of a token from the future the primary takes care.
func (m *Members) Required(memberID uint64, sent consistency.Token) consistency.Token {
	if m.now().Sub(m.since) < unsureFor {
		return consistency.Newest
	}
	return max(sent, m.memory.Of(memberID))
}

// ReadAnswer is a proxy.AnswerReader: it remembers what the answer tells.
func (m *Members) ReadAnswer(caller authn.Principal, answer *fasthttp.ResponseHeader) error {
	m.memory.Note(consistencyhttp.Answered(caller.MemberID, answer))
	return nil
}

// Run hears of writes through other gateways until ctx ends.
func (m *Members) Run(ctx context.Context) error {
	return consistencynats.Listen(ctx, m.conn, m.memory, m.log)
}
