-- +goose Up
-- What libs/mysqlx measures a replica's lag with: beat is a time on the primary's clock in microseconds, epoch counts the
-- promotions of a replica, so that a primary which comes back after one is known for what it is.
ALTER TABLE heartbeat ADD COLUMN epoch BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- Requests that must not be done twice (libs/idempotency), written in the transaction of what they did.
CREATE TABLE idempotency_keys (
    caller_id   BIGINT UNSIGNED NOT NULL COMMENT 'a member, 0 for anonymous callers',
    key_digest  BINARY(32)      NOT NULL COMMENT 'SHA-256 of the Idempotency-Key',
    fingerprint BINARY(32)      NOT NULL COMMENT 'of the request',
    answer      MEDIUMBLOB      NULL COMMENT 'NULL only within the transaction that writes it',
    created_at  DATETIME(6)     NOT NULL,
    PRIMARY KEY (caller_id, key_digest),
    KEY idempotency_keys_created (created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Events that wait for JetStream (libs/events), written in the transaction of what they tell. Rows that were published are
-- kept for a while, to be looked at.
CREATE TABLE outbox (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    event_id     CHAR(26)        NOT NULL,
    subject      VARCHAR(100)    NOT NULL COMMENT 'of NATS',
    content      MEDIUMTEXT      NOT NULL COMMENT 'a CloudEvent as JSON',
    created_at   DATETIME(6)     NOT NULL,
    published_at DATETIME(6)     NULL,
    PRIMARY KEY (id),
    KEY outbox_published (published_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Events that were handled (libs/events), written in the transaction of their effect.
CREATE TABLE inbox (
    consumer   VARCHAR(50) NOT NULL,
    event_id   CHAR(26)    NOT NULL,
    handled_at DATETIME(6) NOT NULL,
    PRIMARY KEY (consumer, event_id),
    KEY inbox_handled (handled_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Members that were deleted, as their events told. There are no new orders for them.
CREATE TABLE former_customers (
    customer_id BIGINT UNSIGNED NOT NULL,
    deleted_at  DATETIME(6)     NOT NULL,
    PRIMARY KEY (customer_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE former_customers;
DROP TABLE inbox;
DROP TABLE outbox;
DROP TABLE idempotency_keys;
ALTER TABLE heartbeat DROP COLUMN epoch;
