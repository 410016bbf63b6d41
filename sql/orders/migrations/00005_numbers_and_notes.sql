-- +goose Up
-- The INSERT below reads all orders. At this level it locks none of them, so that services write on meanwhile.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;

-- Every number that an order has or had. A number names one order for ever, also once that is deleted or has another number.
-- A number that a process of an earlier release gave while this migration ran is added when its order gives it up.
CREATE TABLE order_numbers (
    order_number CHAR(12)        NOT NULL COMMENT '0-9A-Z',
    order_id     BIGINT UNSIGNED NOT NULL COMMENT 'of an order that may be gone',
    PRIMARY KEY (order_number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO order_numbers (order_number, order_id) SELECT order_number, id FROM orders ORDER BY order_number;

-- What a change did, and which notes were removed. The key finds the notes about a customer who is deleted.
ALTER TABLE order_timeline
    ADD COLUMN changes     TEXT            CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'JSON, NULL where no field changed',
    ADD COLUMN redacted_by BIGINT UNSIGNED NULL COMMENT 'the admin who removed the note, 0 where its customer was deleted',
    ADD KEY order_timeline_customer (customer_id, id);

UPDATE order_timeline SET note = '', redacted_by = 0
WHERE note <> '' AND customer_id IN (SELECT customer_id FROM former_customers);

SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- +goose Down
ALTER TABLE order_timeline DROP KEY order_timeline_customer, DROP COLUMN redacted_by, DROP COLUMN changes;
DROP TABLE order_numbers;
