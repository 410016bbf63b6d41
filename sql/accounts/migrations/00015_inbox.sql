-- +goose Up
-- Events of orders that were handled (libs/events): what is to be written into audit_events.
CREATE TABLE inbox (
    consumer   VARCHAR(50) NOT NULL,
    event_id   CHAR(26)    NOT NULL,
    handled_at DATETIME(6) NOT NULL,
    PRIMARY KEY (consumer, event_id),
    KEY inbox_handled (handled_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE inbox;
