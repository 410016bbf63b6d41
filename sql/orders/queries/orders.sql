-- Every query names what it does: verb, entity, qualifier. The ids of a list's page come from libs/listing/listsql.

-- name: InsertOrder :execlastid
INSERT INTO orders (customer_id, order_number, product_name, paid_at, state, version) VALUES (?, ?, ?, ?, ?, ?);

-- name: GetOrder :one
SELECT * FROM orders WHERE id = ?;

-- name: GetOrderForUpdate :one
SELECT * FROM orders WHERE id = ? FOR UPDATE;

-- name: ListOrdersByIDs :many
SELECT * FROM orders WHERE id IN (sqlc.slice(ids));

-- name: ListLastOrders :many
SELECT orders.* FROM orders
JOIN (
    SELECT MAX(own.id) AS id FROM orders AS own
    WHERE own.customer_id IN (sqlc.slice(customer_ids)) GROUP BY own.customer_id
) AS latest ON latest.id = orders.id;

-- name: UpdateOrder :exec
UPDATE orders SET customer_id = ?, order_number = ?, product_name = ?, state = ?, version = ? WHERE id = ?;

-- name: DeleteOrder :exec
DELETE FROM orders WHERE id = ?;

-- name: InsertOrderNumber :exec
INSERT INTO order_numbers (order_number, order_id) VALUES (?, ?);

-- name: InsertOrderNumberIfMissing :exec
INSERT IGNORE INTO order_numbers (order_number, order_id) VALUES (?, ?);

-- name: GetOrderOfNumber :one
SELECT order_id FROM order_numbers WHERE order_number = ?;

-- name: InsertTimelineEntry :exec
INSERT INTO order_timeline (order_id, customer_id, at, actor_id, from_state, to_state, note, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetLastTimelineEntry :one
SELECT * FROM order_timeline WHERE order_id = ? ORDER BY id DESC LIMIT 1;

-- name: ListTimelineEntriesByIDs :many
SELECT * FROM order_timeline WHERE id IN (sqlc.slice(ids));

-- name: GetTimelineEntryForUpdate :one
SELECT * FROM order_timeline WHERE id = ? AND order_id = ? FOR UPDATE;

-- name: RedactNote :exec
UPDATE order_timeline SET note = '', redacted_by = ? WHERE id = ?;

-- The index is forced because few steps have notes: by their ids, a server might read all steps to find some.
-- name: ListNotesOfCustomer :many
SELECT id FROM order_timeline FORCE INDEX (order_timeline_customer) WHERE customer_id = ? AND note <> '' LIMIT ?;

-- name: RedactNotes :exec
UPDATE order_timeline SET note = '', redacted_by = 0 WHERE id IN (sqlc.slice(ids)) AND note <> '';

-- The lock, which is also on the gap where there is no row, keeps the customer from becoming a former one until the transaction ends.
-- name: CountFormerCustomersInShareMode :one
SELECT COUNT(*) FROM former_customers WHERE customer_id = ? LOCK IN SHARE MODE;

-- name: CountFormerCustomers :one
SELECT COUNT(*) FROM former_customers WHERE customer_id = ?;

-- name: InsertFormerCustomer :exec
INSERT IGNORE INTO former_customers (customer_id, deleted_at) VALUES (?, ?);

-- name: GetRoundForUpdate :one
SELECT * FROM product_rounds WHERE id = 1 FOR UPDATE;

-- name: UpdateRound :exec
UPDATE product_rounds SET through = ?, settled = ?, complete = ? WHERE id = 1;

-- name: GetProductNamesComplete :one
SELECT complete FROM product_rounds WHERE id = 1;

-- name: ListProductsAfter :many
SELECT id, product_name FROM orders WHERE id > ? ORDER BY id LIMIT ?;

-- The name is compared byte by byte, because somebody may change it meanwhile.
-- name: ComposeProduct :exec
UPDATE orders SET product_name = sqlc.arg(composed) WHERE id = sqlc.arg(id) AND product_name COLLATE utf8mb4_bin = sqlc.arg(product_name);

-- The steps of orders that are gone are among them, too. The order of the tables is forced because there may be many former customers.
-- name: ListNotesAboutFormerCustomers :many
SELECT steps.id FROM order_timeline AS steps FORCE INDEX (order_timeline_order)
STRAIGHT_JOIN former_customers ON former_customers.customer_id = steps.customer_id
WHERE steps.order_id > sqlc.arg(after) AND steps.order_id <= sqlc.arg(through) AND steps.note <> '';

-- What an import looks at. Of an order that was deleted here, the timeline remains.
-- name: ListOrdersForUpdate :many
SELECT * FROM orders WHERE id IN (sqlc.slice(ids)) ORDER BY id FOR UPDATE;

-- name: ListPresentOrders :many
SELECT id FROM orders WHERE id IN (sqlc.slice(ids));

-- name: ListOrdersWithTimeline :many
SELECT order_id FROM order_timeline FORCE INDEX (order_timeline_order) WHERE order_id IN (sqlc.slice(ids));

-- name: ListHoldersOfNumbers :many
SELECT orders.order_number, orders.id FROM orders WHERE orders.order_number IN (sqlc.slice(present_numbers))
UNION ALL
SELECT order_numbers.order_number, order_numbers.order_id FROM order_numbers WHERE order_numbers.order_number IN (sqlc.slice(former_numbers));

-- name: GetHighestOrder :one
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) FROM orders;

-- name: SetPaidAt :exec
UPDATE orders SET paid_at = ? WHERE id = ?;
