-- +goose Up
-- What gateways must refuse although its token has not expired. A row ends one session, or every session of a member up to
-- through_session but for except_session. Rows are kept until the last of these tokens has expired by itself.
CREATE TABLE revocations (
    sequence        BIGINT UNSIGNED NOT NULL COMMENT 'from revocation_counter: no gaps, in the order of the commits',
    session_id      BIGINT UNSIGNED NOT NULL DEFAULT 0,
    member_id       BIGINT UNSIGNED NOT NULL DEFAULT 0,
    through_session BIGINT UNSIGNED NOT NULL DEFAULT 0,
    except_session  BIGINT UNSIGNED NOT NULL DEFAULT 0,
    valid_until     DATETIME(6)     NOT NULL,
    PRIMARY KEY (sequence),
    KEY revocations_valid (valid_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row, incremented in the transaction that revokes. Its lock lasts until the commit; that is what makes the numbers
-- follow the order of the commits, and a rollback gives its number back. AUTO_INCREMENT promises neither.
CREATE TABLE revocation_counter (
    id     TINYINT UNSIGNED NOT NULL,
    latest BIGINT UNSIGNED  NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Sessions that ended before this migration stay ended.
INSERT INTO revocations (sequence, session_id, valid_until)
SELECT ROW_NUMBER() OVER (ORDER BY id), id, expires_at FROM sessions
WHERE revoked_at IS NOT NULL AND expires_at > UTC_TIMESTAMP(6);

INSERT INTO revocation_counter (id, latest) SELECT 1, COUNT(*) FROM revocations;

-- +goose Down
DROP TABLE revocation_counter;
DROP TABLE revocations;
