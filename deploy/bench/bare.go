package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The statements of this file are those of the services (sql/*/queries, libs/listing/listsql, libs/idempotency, libs/events), executed by a
// program that does nothing else. Whoever changes the services' statements changes them here.

// rowsOf executes a query and reads each row whole. It returns the first column.
func rowsOf(ctx context.Context, db *sql.DB, query string, arguments ...any) (first []any, err error) {
	rows, err := db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, fmt.Errorf("%.100s: %w", query, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var id uint64
	targets := []any{&id}
	for range columns[1:] {
		targets = append(targets, new(sql.RawBytes))
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		first = append(first, id)
	}
	return first, rows.Err()
}

// byIDs executes a query whose last part is a list of ids, and demands as many rows as it names.
func byIDs(ctx context.Context, db *sql.DB, query string, ids []any, rows int) error {
	found, err := rowsOf(ctx, db, query+"("+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+")", ids...)
	if err == nil && len(found) != rows {
		err = fmt.Errorf("%.100s: %d rows instead of %d", query, len(found), rows)
	}
	return err
}

// ownList reads the orders of a customer as GET /orders/ does.
func ownList(ctx context.Context, db *sql.DB, customer uint64, rows int) error {
	ids, err := rowsOf(ctx, db, "SELECT id FROM orders FORCE INDEX (orders_customer) WHERE customer_id = ? ORDER BY id LIMIT 30 OFFSET 0", customer)
	if err != nil {
		return err
	}
	return byIDs(ctx, db, "SELECT * FROM orders WHERE id IN ", ids, rows)
}

// memberPage reads 30 members with their last orders as GET /accounts/users does, and does not count.
func memberPage(ctx context.Context, accounts, orders *sql.DB, offset int) error {
	ids, err := rowsOf(ctx, accounts, "SELECT id FROM members ORDER BY id LIMIT 30 OFFSET ?", offset)
	if err != nil {
		return err
	}
	if err := byIDs(ctx, accounts, "SELECT id, email, name, nickname, phone, gender, is_admin, is_active, created_at, version FROM members WHERE id IN ", ids, 30); err != nil {
		return err
	}
	found, err := rowsOf(ctx, orders, `SELECT orders.* FROM orders JOIN (SELECT MAX(own.id) AS id FROM orders AS own WHERE own.customer_id IN (`+
		strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+`) GROUP BY own.customer_id) AS latest ON latest.id = orders.id`, ids...)
	if err == nil && len(found) != 30 {
		err = fmt.Errorf("last orders: %d instead of 30", len(found))
	}
	return err
}

// deepPage reads the page at an offset of all orders by their time.
func deepPage(ctx context.Context, db *sql.DB, offset int) error {
	ids, err := rowsOf(ctx, db, "SELECT id FROM orders FORCE INDEX (orders_paid) ORDER BY paid_at, id LIMIT 30 OFFSET ?", offset)
	if err != nil {
		return err
	}
	return byIDs(ctx, db, "SELECT * FROM orders WHERE id IN ", ids, 30)
}

// scan counts the rows that hold a word, without an index.
func scan(ctx context.Context, db *sql.DB, query, word string, count int) error {
	arguments := make([]any, strings.Count(query, "?"))
	for i := range arguments {
		arguments[i] = word
	}
	var found int
	if err := db.QueryRowContext(ctx, query, arguments...).Scan(&found); err != nil {
		return err
	}
	if found != count {
		return fmt.Errorf("%q: %d rows instead of %d", word, found, count)
	}
	return nil
}

// placeOrder does the transaction of POST /orders/, with a key or without. Its event counts as published, because otherwise the orders
// service would publish it while this is measured.
func placeOrder(ctx context.Context, db *sql.DB, customer int, product string, withKey bool) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	now, number := time.Now().UTC(), rand.Text()[:12]
	key := sha256.Sum256([]byte(number))
	run := func(statement string, arguments ...any) (result sql.Result) {
		if err == nil {
			result, err = tx.ExecContext(ctx, statement, arguments...)
		}
		return result
	}
	if withKey {
		run("INSERT IGNORE INTO idempotency_keys (caller_id, key_digest, fingerprint, created_at) VALUES (?, ?, ?, ?)", customer, key[:], key[:], now)
	}
	var former int
	if err == nil {
		err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM former_customers WHERE customer_id = ?", customer).Scan(&former)
	}
	inserted := run("INSERT INTO orders (customer_id, order_number, product_name, paid_at, state, version) VALUES (?, ?, ?, ?, 'paid', 1)",
		customer, number, product, now)
	if err != nil {
		return err
	}
	id, err := inserted.LastInsertId()
	run("INSERT INTO order_numbers (order_number, order_id) VALUES (?, ?)", number, id)
	run("INSERT INTO order_timeline (order_id, customer_id, at, actor_id, from_state, to_state, note, changes) VALUES (?, ?, ?, ?, NULL, 'paid', '', NULL)",
		id, customer, now, customer)
	answer := fmt.Sprintf(`{"id":%d,"customer_id":%d,"order_number":%q,"product_name":%q,"paid_at":%q,"state":"paid","version":1}`,
		id, customer, number, product, now.Format(time.RFC3339Nano))
	event := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/oms/orders","type":"oms.orders.created.v1","subject":"%d","time":%q,`+
		`"datacontenttype":"application/json","data":%s}`, number, id, now.Format(time.RFC3339Nano), answer)
	run("INSERT INTO outbox (event_id, subject, content, created_at, published_at) VALUES (?, 'oms.events.orders.created.v1', ?, ?, ?)",
		rand.Text(), event, now, now)
	if withKey {
		run("UPDATE idempotency_keys SET answer = ? WHERE caller_id = ? AND key_digest = ?", answer, customer, key[:])
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}
