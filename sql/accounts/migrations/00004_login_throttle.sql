-- +goose Up
-- Failed logins for each email, network and known device, shared by all instances. The subject is a digest: unknown emails
-- are counted too, and what somebody typed is nobody's business.
CREATE TABLE login_failures (
    subject   BINARY(32)   NOT NULL COMMENT 'SHA-256 of what is counted',
    failures  INT UNSIGNED NOT NULL COMMENT 'as of failed_at; quiet time takes away from it',
    failed_at DATETIME(6)  NOT NULL,
    PRIMARY KEY (subject),
    KEY login_failures_failed (failed_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Devices from which a member logged in before: the failures of others do not keep them out.
CREATE TABLE known_devices (
    member_id BIGINT UNSIGNED NOT NULL,
    device    BINARY(32)      NOT NULL COMMENT 'SHA-256 of member, network and user agent',
    login_at  DATETIME(6)     NOT NULL COMMENT 'the last one',
    PRIMARY KEY (member_id, device),
    KEY known_devices_login (login_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE known_devices;
DROP TABLE login_failures;
