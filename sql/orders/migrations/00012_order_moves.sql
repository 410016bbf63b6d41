-- +goose Up
-- Which customers lost an order or got one of another customer, for an hour. Processes remember how many orders there were up to some
-- order, and learn from here what has changed since (libs/listing/listsql/counts.go). New orders are not here.
CREATE TABLE order_moves (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    customer_id BIGINT UNSIGNED NOT NULL,
    order_id    BIGINT UNSIGNED NOT NULL,
    gained      TINYINT         NOT NULL COMMENT '-1 where the customer lost the order, 1 where it got it',
    at          DATETIME(6)     NOT NULL COMMENT 'by the clock of the primary, as heartbeats are',
    PRIMARY KEY (id),
    KEY order_moves_customer (customer_id, id, order_id, gained),
    KEY order_moves_at (at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE order_moves;
