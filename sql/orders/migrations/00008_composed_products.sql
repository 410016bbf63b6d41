-- +goose Up
-- Up to which order the names of products are known to be composed (Unicode's normal form C), as they are stored, searched and
-- filtered by now. Only Go can compose them, so `orders migrate` does, after this file, and each time for the orders since.
CREATE TABLE IF NOT EXISTS composed_products (
    id      TINYINT UNSIGNED NOT NULL,
    through BIGINT UNSIGNED  NOT NULL COMMENT 'the id of an order',
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO composed_products (id, through) VALUES (1, 0);

-- +goose Down
DROP TABLE composed_products;
