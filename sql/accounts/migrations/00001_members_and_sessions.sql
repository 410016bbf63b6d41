-- +goose Up
-- Text that is compared by people (names) ignores case; text that is compared by machines (email_key) does not.
-- unicode_520 is the newest collation that MySQL and MariaDB share and that tells one emoji from another.
CREATE TABLE members (
    id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    email         VARCHAR(100)    NOT NULL COMMENT 'as the member wrote it',
    email_key     VARCHAR(100)    NOT NULL COMMENT 'email in lower case: unique, searched, ordered by',
    name          VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL,
    nickname      VARCHAR(30)     NOT NULL,
    phone         VARCHAR(20)     NOT NULL,
    gender        CHAR(1)         NULL COMMENT 'M, F or unknown',
    password_hash VARCHAR(255)    NOT NULL,
    is_admin      BOOLEAN         NOT NULL DEFAULT FALSE,
    is_active     BOOLEAN         NOT NULL DEFAULT TRUE,
    created_at    DATETIME(6)     NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY members_email (email_key),
    KEY members_name (name, id),
    KEY members_nickname (nickname, id),
    KEY members_phone (phone, id),
    KEY members_gender (gender, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a login. The id is the token's sid; ids only grow, so "every session of this member up to now" is one number.
CREATE TABLE sessions (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    member_id  BIGINT UNSIGNED NOT NULL COMMENT 'no foreign key: a revoked session outlives its member',
    created_at DATETIME(6)     NOT NULL,
    expires_at DATETIME(6)     NOT NULL,
    revoked_at DATETIME(6)     NULL,
    PRIMARY KEY (id),
    KEY sessions_member (member_id, id),
    KEY sessions_expires (expires_at)
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
DROP TABLE sessions;
DROP TABLE members;
