package peers

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/wire"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

// Gateways is account.Announcer over NATS.
type Gateways struct {
	conn *nats.Conn
	log  *slog.Logger
}

var _ account.Announcer = (*Gateways)(nil)

// NewGateways returns an announcer on the process's connection.
func NewGateways(conn *nats.Conn, log *slog.Logger) *Gateways { return &Gateways{conn: conn, log: log} }

// announceTimeout is how long a logout waits for a broker that hangs.
const announceTimeout = 100 * time.Millisecond

// Announce publishes revocations. Failures are logged only: the gateway that asked hears them in its answer, and the
// others ask four times a second for what they have not seen.
func (g *Gateways) Announce(ctx context.Context, revocations []account.Revocation) {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	if err := natsx.Publish(ctx, g.conn, accounts.SubjectRevoked, wire.Revocations(revocations)); err != nil {
		g.log.WarnContext(ctx, "revocations not announced", "error", err)
	}
}
