-- +goose Up
-- version counts the changes of a row: what If-Match compares.
ALTER TABLE orders
    ADD COLUMN state   VARCHAR(10)     NOT NULL DEFAULT 'paid' COMMENT 'paid, preparing, shipped, delivered or cancelled',
    ADD COLUMN version BIGINT UNSIGNED NOT NULL DEFAULT 1;

-- What happened to an order, and who did it. It outlives the order, and so has no foreign key; the customer is kept to
-- know who may read it then.
CREATE TABLE order_timeline (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    order_id    BIGINT UNSIGNED NOT NULL,
    customer_id BIGINT UNSIGNED NOT NULL,
    at          DATETIME(6)     NOT NULL,
    actor_id    BIGINT UNSIGNED NOT NULL COMMENT 'a member',
    from_state  VARCHAR(10)     NULL COMMENT 'NULL where the order begins',
    to_state    VARCHAR(10)     NOT NULL COMMENT 'a state, or deleted where the order ends',
    note        VARCHAR(500)    CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL,
    PRIMARY KEY (id),
    KEY order_timeline_order (order_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE order_timeline;
ALTER TABLE orders DROP COLUMN version, DROP COLUMN state;
