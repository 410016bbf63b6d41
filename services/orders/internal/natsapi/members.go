package natsapi

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/orders/internal/order"
)

// importedTimeout bounds the answer to one question of an import, which no request bounds.
const importedTimeout = 5 * time.Second

// Members is order.Members over NATS.
type Members struct{ conn *nats.Conn }

var _ order.Members = (*Members)(nil)

// NewMembers returns a client on the process's connection.
func NewMembers(conn *nats.Conn) *Members { return &Members{conn: conn} }

// Member asks what a member is now.
func (m *Members) Member(ctx context.Context, id uint64) (order.Member, error) {
	reply, err := natsx.Call[accounts.ExistsReply](ctx, m.conn, accounts.SubjectExists, accounts.ExistsRequest{MemberID: id})
	return order.Member{Exists: reply.Exists, Admin: reply.Admin && reply.Active}, err
}

// Match asks which members match each term, as the caller may expect to see them.
func (m *Members) Match(ctx context.Context, terms []string, among uint64) ([][]uint64, bool, error) {
	reply, err := natsx.Call[accounts.MatchReply](ctx, m.conn, accounts.SubjectMatch, accounts.MatchRequest{
		Terms: terms, Among: among, After: uint64(consistency.After(ctx)),
	})
	return reply.MemberIDs, reply.Truncated, err
}

// Imported asks which of some members of drf-oms are here, at most accounts.MaxImported.
func (m *Members) Imported(ctx context.Context, ids []uint64) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, importedTimeout)
	defer cancel()
	reply, err := natsx.Call[accounts.ImportedReply](ctx, m.conn, accounts.SubjectImported, accounts.ImportedRequest{MemberIDs: ids})
	return reply.MemberIDs, err
}
