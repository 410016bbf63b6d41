-- +goose Up
-- customer_id is a member of the accounts service: another schema, so no foreign key. Orders outlive their customer.
-- Each key serves one ordering, for one customer or for all; see queries/orders.sql.
CREATE TABLE orders (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    customer_id  BIGINT UNSIGNED NOT NULL,
    order_number CHAR(12)        NOT NULL COMMENT '0-9A-Z',
    product_name VARCHAR(100)    CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL,
    paid_at      DATETIME(6)     NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY orders_number (order_number),
    KEY orders_product (product_name, id),
    KEY orders_paid (paid_at, id),
    KEY orders_customer (customer_id, id),
    KEY orders_customer_number (customer_id, order_number),
    KEY orders_customer_product (customer_id, product_name, id),
    KEY orders_customer_paid (customer_id, paid_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What libs/mysqlx measures a replica's lag with.
CREATE TABLE heartbeat (
    id   TINYINT UNSIGNED NOT NULL,
    beat BIGINT UNSIGNED  NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO heartbeat (id, beat) VALUES (1, 0);

-- +goose Down
DROP TABLE heartbeat;
DROP TABLE orders;
