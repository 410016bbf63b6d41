// Package store keeps orders in MySQL or MariaDB: the domain's port order.Store over the queries that sqlc generates. It
// alone knows rows.
package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Store is order.Store on a cluster.
type Store struct {
	cluster *mysqlx.Cluster
	now     func() time.Time
	known   knownNames
	counts  *listsql.Counts
}

var _ order.Store = (*Store)(nil)

// New returns a store on the cluster, whose schema must be that of sql.Orders, with a clock.
func New(cluster *mysqlx.Cluster, now func() time.Time) *Store {
	return &Store{cluster: cluster, now: now, known: newKnownNames(), counts: listsql.NewCounts(List, cluster.Epoch, now)}
}

// transaction is one on the primary, for generated queries and for those of libraries.
type transaction struct {
	*sqlcgen.Queries
	writer mysqlx.Writer
	naming *naming
}

func (s *Store) begun(writer mysqlx.Writer) transaction {
	return transaction{sqlcgen.New(writer), writer, &naming{known: s.known, epoch: s.cluster.Epoch()}}
}

// notFound turns the absence of a row into the fault NotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NewNotFound()
	}
	return err
}

func numberTaken(err error) error {
	if mysqlx.IsDuplicate(err) {
		return order.ErrNumberTaken
	}
	return err
}

func toOrder(row sqlcgen.Order) order.Order {
	return order.Order{
		ID: row.ID, CustomerID: row.CustomerID, OrderNumber: row.OrderNumber, ProductName: row.ProductName,
		PaidAt: row.PaidAt, State: order.State(row.State), Version: row.Version,
	}
}

// RenewCounts counts anew what is remembered and due.
func (s *Store) RenewCounts(ctx context.Context) error {
	return s.counts.Renew(ctx, s.cluster.ReadSlowly)
}
