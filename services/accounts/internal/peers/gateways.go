package peers

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/nats-io/nats.go"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/requestid"
)

// Gateways is account.Announcer over NATS.
type Gateways struct {
	conn *nats.Conn
	log  *slog.Logger
}

var _ account.Announcer = (*Gateways)(nil)

// NewGateways returns an announcer on the process's connection.
func NewGateways(conn *nats.Conn, log *slog.Logger) *Gateways { return &Gateways{conn: conn, log: log} }

// Announce publishes revocations. Failures are logged only: the gateway that asked hears them in its answer, and the
// others ask four times a second for what they have not seen.
func (g *Gateways) Announce(ctx context.Context, revocations []account.Revocation) {
	body, err := json.Marshal(ToRevocations(revocations))
	if err != nil {
		g.log.ErrorContext(ctx, "encode revocations", "error", err)
		return
	}
	message := nats.NewMsg(accounts.SubjectRevoked)
	message.Data = body
	message.Header.Set(requestid.Header, requestid.From(ctx))
	if err := g.conn.PublishMsg(message); err != nil {
		g.log.WarnContext(ctx, "revocations not announced", "error", err)
	}
}

// ToRevocations converts the domain's revocations to the message that others read.
func ToRevocations(revocations []account.Revocation) accounts.Revocations {
	message := accounts.Revocations{Revocations: make([]accounts.Revocation, len(revocations))}
	for i, revocation := range revocations {
		message.Revocations[i] = accounts.Revocation(revocation)
	}
	return message
}
