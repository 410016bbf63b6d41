package natsapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

// RevocationPublisher is account.RevocationPublisher over NATS.
type RevocationPublisher struct {
	conn *nats.Conn
	log  *slog.Logger
}

var _ account.RevocationPublisher = (*RevocationPublisher)(nil)

// NewRevocationPublisher returns a publisher on the process's connection.
func NewRevocationPublisher(conn *nats.Conn, log *slog.Logger) *RevocationPublisher {
	return &RevocationPublisher{conn: conn, log: log}
}

// publishTimeout bounds how long a broker that hangs delays a logout.
const publishTimeout = 100 * time.Millisecond

// Publish tells all gateways what is revoked. A failure is logged only: the gateway that asked finds the revocations in the
// answer, and the others ask for what they have not heard four times a second.
func (p *RevocationPublisher) Publish(ctx context.Context, revocations []account.Revocation) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := natsx.Publish(ctx, p.conn, accounts.SubjectRevoked, account.Contract(revocations)); err != nil {
		p.log.WarnContext(ctx, "revocations not published", "error", err)
	}
}
