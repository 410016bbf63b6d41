-- +goose Up
-- Each name that a product of an order has or had, byte by byte. There are far fewer of them than orders, so a search looks at them.
-- A transaction that gives an order a name writes it here, too. Names that no order has any more stay.
CREATE TABLE IF NOT EXISTS product_names (
    name VARCHAR(100) NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The rounds of mending, which also add the names of orders of before. Processes of the release before keep the place of theirs in
-- composed_products, and add no names. Where there are no orders yet, there are no names to add.
CREATE TABLE IF NOT EXISTS product_rounds (
    id       TINYINT UNSIGNED NOT NULL,
    through  BIGINT UNSIGNED  NOT NULL COMMENT 'the order up to which the present round has come, 0 between two rounds',
    settled  BOOLEAN          NOT NULL COMMENT 'the round began when no process of the release before wrote any more',
    complete BOOLEAN          NOT NULL COMMENT 'such a round has run whole, so product_names has the names of all orders',
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO product_rounds (id, through, settled, complete) SELECT 1, 0, FALSE, NOT EXISTS (SELECT 1 FROM orders);

-- +goose Down
DROP TABLE product_rounds;
DROP TABLE product_names;
