// Package store keeps orders in MySQL or MariaDB: the domain's port order.Store over the queries that sqlc generates. It
// alone knows rows.
package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Store is order.Store on a cluster.
type Store struct{ cluster *mysqlx.Cluster }

var _ order.Store = (*Store)(nil)

// New returns a store on the cluster, whose schema must be that of sql.Orders.
func New(cluster *mysqlx.Cluster) *Store { return &Store{cluster: cluster} }

// read runs queries on a server that is as fresh as asked.
func (s *Store) read(ctx context.Context, freshness order.Freshness, queries func(context.Context, *sqlcgen.Queries) error) error {
	on := s.cluster.ReadRecent
	if freshness == order.Latest {
		on = s.cluster.ReadLatest
	}
	return on(ctx, func(ctx context.Context, reader mysqlx.Reader) error { return queries(ctx, sqlcgen.New(reader)) })
}

// write runs queries in a transaction on the primary.
func (s *Store) write(ctx context.Context, queries func(context.Context, *sqlcgen.Queries) error) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		return queries(ctx, sqlcgen.New(writer))
	})
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

func toOrder(row sqlcgen.Order) order.Order { return order.Order(row) }

func toOrders(rows []sqlcgen.Order) []order.Order {
	orders := make([]order.Order, len(rows))
	for i, row := range rows {
		orders[i] = toOrder(row)
	}
	return orders
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// containing returns the LIKE pattern for texts that hold term, in the case of order numbers; products ignore case
// anyway.
func containing(term string) string {
	return "%" + likeEscaper.Replace(strings.ToUpper(term)) + "%"
}
