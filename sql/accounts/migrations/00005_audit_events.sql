-- +goose Up
-- Append-only: the service inserts and selects, nothing else. The application's database user needs neither UPDATE nor DELETE
-- on this table and should not have them. No foreign keys: an event outlives whom it is about. No emails, names or secrets:
-- ids and addresses are all that an event may tell of a person. Each index serves one filter, newest first.
CREATE TABLE audit_events (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    at         DATETIME(6)     NOT NULL,
    action     VARCHAR(32)     NOT NULL,
    actor      BIGINT UNSIGNED NOT NULL COMMENT 'the member who did it, 0 for nobody known',
    subject    BIGINT UNSIGNED NOT NULL COMMENT 'the member to whom it was done, 0 for none',
    address    VARCHAR(45)     NOT NULL,
    outcome    VARCHAR(16)     NOT NULL,
    request_id VARCHAR(64)     NOT NULL,
    detail     VARCHAR(200)    NOT NULL,
    PRIMARY KEY (id),
    KEY audit_events_at (at),
    KEY audit_events_action (action, at),
    KEY audit_events_actor (actor, at),
    KEY audit_events_subject (subject, at),
    KEY audit_events_outcome (outcome, at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE audit_events;
