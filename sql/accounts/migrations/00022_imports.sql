-- +goose Up
-- Which rows were taken from a database of drf-oms (libs/drf): how the source had each, and how it was left here. A row that is the same in
-- the source needs nothing, and one that is not the same here any more was changed here since. Each digest has two halves, one of
-- the fields and one of the secret.
CREATE TABLE drf_imports (
    id     BIGINT UNSIGNED NOT NULL,
    source BINARY(32)      NOT NULL,
    here   BINARY(32)      NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE drf_imports;
