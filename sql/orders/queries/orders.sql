-- Every query names what it does: verb, entity, qualifier. Lists come in two steps, first the ids of a page from an index
-- alone, then the rows by their ids: a deep page skips index entries instead of rows, and no ordering needs a sort.

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

-- name: ListTimeline :many
SELECT * FROM order_timeline WHERE order_id = ? ORDER BY id DESC LIMIT ?;

-- name: GetTimelineEntryForUpdate :one
SELECT * FROM order_timeline WHERE id = ? AND order_id = ? FOR UPDATE;

-- name: RedactNote :exec
UPDATE order_timeline SET note = '', redacted_by = ? WHERE id = ?;

-- name: ListNotesOfCustomer :many
SELECT id FROM order_timeline WHERE customer_id = ? AND id > ? AND note <> '' ORDER BY id LIMIT ?;

-- name: RedactNotes :exec
UPDATE order_timeline SET note = '', redacted_by = 0 WHERE id IN (sqlc.slice(ids));

-- name: IsFormerCustomer :one
SELECT EXISTS (SELECT 1 FROM former_customers WHERE customer_id = ?);

-- name: InsertFormerCustomer :exec
INSERT IGNORE INTO former_customers (customer_id, deleted_at) VALUES (?, ?);

-- name: CountOrders :one
SELECT COUNT(*) FROM orders;

-- name: CountOrdersOfCustomer :one
SELECT COUNT(*) FROM orders WHERE customer_id = ?;

-- name: CountOrdersOfProduct :one
SELECT COUNT(*) FROM orders WHERE product_name = ?;

-- name: CountOrdersOfCustomerAndProduct :one
SELECT COUNT(*) FROM orders WHERE customer_id = ? AND product_name = ?;

-- name: ListOrderIDsOrderByID :many
SELECT id FROM orders ORDER BY id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByIDDesc :many
SELECT id FROM orders ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByCustomer :many
SELECT id FROM orders ORDER BY customer_id, id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByCustomerDesc :many
SELECT id FROM orders ORDER BY customer_id DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByNumber :many
SELECT id FROM orders ORDER BY order_number LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByNumberDesc :many
SELECT id FROM orders ORDER BY order_number DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByProduct :many
SELECT id FROM orders ORDER BY product_name, id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByProductDesc :many
SELECT id FROM orders ORDER BY product_name DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByPaid :many
SELECT id FROM orders ORDER BY paid_at, id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOrderByPaidDesc :many
SELECT id FROM orders ORDER BY paid_at DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByID :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByIDDesc :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByNumber :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY order_number LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByNumberDesc :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY order_number DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByProduct :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY product_name, id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByProductDesc :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY product_name DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByPaid :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY paid_at, id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerOrderByPaidDesc :many
SELECT id FROM orders WHERE customer_id = ? ORDER BY paid_at DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfProductOrderByID :many
SELECT id FROM orders WHERE product_name = ? ORDER BY id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfProductOrderByIDDesc :many
SELECT id FROM orders WHERE product_name = ? ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerAndProductOrderByID :many
SELECT id FROM orders WHERE customer_id = ? AND product_name = ? ORDER BY id LIMIT ? OFFSET ?;

-- name: ListOrderIDsOfCustomerAndProductOrderByIDDesc :many
SELECT id FROM orders WHERE customer_id = ? AND product_name = ? ORDER BY id DESC LIMIT ? OFFSET ?;

-- Substring search, and orderings that no key serves: these read all orders (of the customer), once. A term is a LIKE
-- pattern, '%' where there are fewer; beside it stands which customers match the term themselves. A key is a field's
-- name, with a minus for descending, or ''.

-- name: SearchOrderIDs :many
SELECT id FROM orders
WHERE (sqlc.arg(product_name) = '' OR product_name = sqlc.arg(product_name))
  AND (order_number LIKE sqlc.arg(term1) OR product_name LIKE sqlc.arg(term1) OR customer_id IN (sqlc.slice(customers1)))
  AND (order_number LIKE sqlc.arg(term2) OR product_name LIKE sqlc.arg(term2) OR customer_id IN (sqlc.slice(customers2)))
  AND (order_number LIKE sqlc.arg(term3) OR product_name LIKE sqlc.arg(term3) OR customer_id IN (sqlc.slice(customers3)))
  AND (order_number LIKE sqlc.arg(term4) OR product_name LIKE sqlc.arg(term4) OR customer_id IN (sqlc.slice(customers4)))
  AND (order_number LIKE sqlc.arg(term5) OR product_name LIKE sqlc.arg(term5) OR customer_id IN (sqlc.slice(customers5)))
  AND (order_number LIKE sqlc.arg(term6) OR product_name LIKE sqlc.arg(term6) OR customer_id IN (sqlc.slice(customers6)))
  AND (order_number LIKE sqlc.arg(term7) OR product_name LIKE sqlc.arg(term7) OR customer_id IN (sqlc.slice(customers7)))
  AND (order_number LIKE sqlc.arg(term8) OR product_name LIKE sqlc.arg(term8) OR customer_id IN (sqlc.slice(customers8)))
ORDER BY
    CASE sqlc.arg(key1) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'customer' THEN LPAD(customer_id, 20, '0')
        WHEN 'order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN 'product_name' THEN product_name
        WHEN 'paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key1) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-customer' THEN LPAD(customer_id, 20, '0')
        WHEN '-order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN '-product_name' THEN product_name
        WHEN '-paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END DESC,
    CASE sqlc.arg(key2) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'customer' THEN LPAD(customer_id, 20, '0')
        WHEN 'order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN 'product_name' THEN product_name
        WHEN 'paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key2) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-customer' THEN LPAD(customer_id, 20, '0')
        WHEN '-order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN '-product_name' THEN product_name
        WHEN '-paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END DESC,
    CASE sqlc.arg(key3) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'customer' THEN LPAD(customer_id, 20, '0')
        WHEN 'order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN 'product_name' THEN product_name
        WHEN 'paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key3) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-customer' THEN LPAD(customer_id, 20, '0')
        WHEN '-order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN '-product_name' THEN product_name
        WHEN '-paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END DESC,
    id
LIMIT ? OFFSET ?;

-- name: CountOrdersFound :one
SELECT COUNT(*) FROM orders
WHERE (sqlc.arg(product_name) = '' OR product_name = sqlc.arg(product_name))
  AND (order_number LIKE sqlc.arg(term1) OR product_name LIKE sqlc.arg(term1) OR customer_id IN (sqlc.slice(customers1)))
  AND (order_number LIKE sqlc.arg(term2) OR product_name LIKE sqlc.arg(term2) OR customer_id IN (sqlc.slice(customers2)))
  AND (order_number LIKE sqlc.arg(term3) OR product_name LIKE sqlc.arg(term3) OR customer_id IN (sqlc.slice(customers3)))
  AND (order_number LIKE sqlc.arg(term4) OR product_name LIKE sqlc.arg(term4) OR customer_id IN (sqlc.slice(customers4)))
  AND (order_number LIKE sqlc.arg(term5) OR product_name LIKE sqlc.arg(term5) OR customer_id IN (sqlc.slice(customers5)))
  AND (order_number LIKE sqlc.arg(term6) OR product_name LIKE sqlc.arg(term6) OR customer_id IN (sqlc.slice(customers6)))
  AND (order_number LIKE sqlc.arg(term7) OR product_name LIKE sqlc.arg(term7) OR customer_id IN (sqlc.slice(customers7)))
  AND (order_number LIKE sqlc.arg(term8) OR product_name LIKE sqlc.arg(term8) OR customer_id IN (sqlc.slice(customers8)));

-- name: SearchOrderIDsOfCustomer :many
SELECT id FROM orders
WHERE customer_id = sqlc.arg(customer_id)
  AND (sqlc.arg(product_name) = '' OR product_name = sqlc.arg(product_name))
  AND (order_number LIKE sqlc.arg(term1) OR product_name LIKE sqlc.arg(term1) OR sqlc.arg(customer1) = customer_id)
  AND (order_number LIKE sqlc.arg(term2) OR product_name LIKE sqlc.arg(term2) OR sqlc.arg(customer2) = customer_id)
  AND (order_number LIKE sqlc.arg(term3) OR product_name LIKE sqlc.arg(term3) OR sqlc.arg(customer3) = customer_id)
  AND (order_number LIKE sqlc.arg(term4) OR product_name LIKE sqlc.arg(term4) OR sqlc.arg(customer4) = customer_id)
  AND (order_number LIKE sqlc.arg(term5) OR product_name LIKE sqlc.arg(term5) OR sqlc.arg(customer5) = customer_id)
  AND (order_number LIKE sqlc.arg(term6) OR product_name LIKE sqlc.arg(term6) OR sqlc.arg(customer6) = customer_id)
  AND (order_number LIKE sqlc.arg(term7) OR product_name LIKE sqlc.arg(term7) OR sqlc.arg(customer7) = customer_id)
  AND (order_number LIKE sqlc.arg(term8) OR product_name LIKE sqlc.arg(term8) OR sqlc.arg(customer8) = customer_id)
ORDER BY
    CASE sqlc.arg(key1) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'customer' THEN LPAD(customer_id, 20, '0')
        WHEN 'order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN 'product_name' THEN product_name
        WHEN 'paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key1) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-customer' THEN LPAD(customer_id, 20, '0')
        WHEN '-order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN '-product_name' THEN product_name
        WHEN '-paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END DESC,
    CASE sqlc.arg(key2) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'customer' THEN LPAD(customer_id, 20, '0')
        WHEN 'order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN 'product_name' THEN product_name
        WHEN 'paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key2) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-customer' THEN LPAD(customer_id, 20, '0')
        WHEN '-order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN '-product_name' THEN product_name
        WHEN '-paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END DESC,
    CASE sqlc.arg(key3) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'customer' THEN LPAD(customer_id, 20, '0')
        WHEN 'order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN 'product_name' THEN product_name
        WHEN 'paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key3) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-customer' THEN LPAD(customer_id, 20, '0')
        WHEN '-order_number' THEN order_number COLLATE utf8mb4_unicode_520_ci WHEN '-product_name' THEN product_name
        WHEN '-paymented_at' THEN CAST(paid_at AS CHAR) COLLATE utf8mb4_unicode_520_ci END DESC,
    id
LIMIT ? OFFSET ?;

-- name: CountOrdersFoundOfCustomer :one
SELECT COUNT(*) FROM orders
WHERE customer_id = sqlc.arg(customer_id)
  AND (sqlc.arg(product_name) = '' OR product_name = sqlc.arg(product_name))
  AND (order_number LIKE sqlc.arg(term1) OR product_name LIKE sqlc.arg(term1) OR sqlc.arg(customer1) = customer_id)
  AND (order_number LIKE sqlc.arg(term2) OR product_name LIKE sqlc.arg(term2) OR sqlc.arg(customer2) = customer_id)
  AND (order_number LIKE sqlc.arg(term3) OR product_name LIKE sqlc.arg(term3) OR sqlc.arg(customer3) = customer_id)
  AND (order_number LIKE sqlc.arg(term4) OR product_name LIKE sqlc.arg(term4) OR sqlc.arg(customer4) = customer_id)
  AND (order_number LIKE sqlc.arg(term5) OR product_name LIKE sqlc.arg(term5) OR sqlc.arg(customer5) = customer_id)
  AND (order_number LIKE sqlc.arg(term6) OR product_name LIKE sqlc.arg(term6) OR sqlc.arg(customer6) = customer_id)
  AND (order_number LIKE sqlc.arg(term7) OR product_name LIKE sqlc.arg(term7) OR sqlc.arg(customer7) = customer_id)
  AND (order_number LIKE sqlc.arg(term8) OR product_name LIKE sqlc.arg(term8) OR sqlc.arg(customer8) = customer_id);
