// Package told remembers up to where each member was told of writes, so that no later request of the member is answered
// from a replica that does not know as much.
//
// It learns that from the answers that pass through this gateway, before the client gets them, and over NATS from the
// services, for what passed through other gateways. It does not decide what a service reads from where.
package told

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/consistency"
	"oms.internal/libs/httpx"
)

// unsureFor is how long a gateway that has just started asks for the newest of everything, since it does not know what it
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

// Token is what a request of the member must see: what the member was told, and what the request itself bears. The latter
// is not remembered: it is the client's word. One from the future is the primary's to serve.
func (m *Members) Token(memberID uint64, sent consistency.Token) consistency.Token {
	if m.now().Sub(m.since) < unsureFor {
		return consistency.Newest
	}
	return max(sent, m.memory.Of(memberID))
}

// Hear remembers what an answer tells the member who asked, and those whom it names: who logs in is nobody yet when the
// request comes.
func (m *Members) Hear(memberID uint64, answer http.Header) {
	token := consistency.Parse(answer.Get(consistency.Header))
	m.memory.Raise(memberID, token)
	for text := range strings.SplitSeq(answer.Get(httpx.HeaderTold), ",") {
		if named, err := strconv.ParseUint(text, 10, 64); err == nil {
			m.memory.Raise(named, token)
		}
	}
}

// Run hears of writes through other gateways until ctx ends. What is missed while NATS is away is missed: a client that
// shows its token does not depend on it.
func (m *Members) Run(ctx context.Context) error {
	subscription, err := m.conn.Subscribe(consistency.SubjectWritten, func(message *nats.Msg) {
		var written consistency.Written
		if err := json.Unmarshal(message.Data, &written); err != nil {
			m.log.Error("published writes", "error", err)
			return
		}
		for _, memberID := range written.MemberIDs {
			m.memory.Raise(memberID, written.Token)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", consistency.SubjectWritten, err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	<-ctx.Done()
	return nil
}
