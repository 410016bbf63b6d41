-- +goose Up
-- The INSERT below reads all orders. At this level it locks none of them, so that services write on meanwhile. Both statements
-- may be repeated, in case that the migration is interrupted.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;

-- Every number that an order has or had. A number names one order for ever, also once that is deleted or has another number.
-- A number that a process of an earlier release gave while this migration ran is added when its order gives it up.
CREATE TABLE IF NOT EXISTS order_numbers (
    order_number CHAR(12)        NOT NULL COMMENT '0-9A-Z',
    order_id     BIGINT UNSIGNED NOT NULL COMMENT 'of an order that may be gone',
    PRIMARY KEY (order_number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO order_numbers (order_number, order_id) SELECT order_number, id FROM orders ORDER BY order_number;

SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- +goose Down
DROP TABLE order_numbers;
