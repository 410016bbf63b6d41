-- +goose Up
-- Which members were deleted, for an hour. Processes remember how many members there were up to some member, and learn from here what
-- has changed since (libs/listing/listsql/counts.go). New members are not here.
CREATE TABLE member_moves (
    id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    member_id BIGINT UNSIGNED NOT NULL,
    gained    TINYINT         NOT NULL COMMENT '-1: there is one member less',
    at        DATETIME(6)     NOT NULL COMMENT 'by the clock of the primary, as heartbeats are',
    PRIMARY KEY (id),
    KEY member_moves_at (at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE member_moves;
