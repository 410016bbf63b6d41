-- +goose Up
-- Where a session came from and when it was last used. The defaults are for processes of the version before, which insert
-- sessions without these columns while services are updated one by one. From now on expires_at is when the session's
-- refresh token expires, which is after its last access token.
ALTER TABLE sessions
    ADD COLUMN last_seen_at DATETIME(6)  NULL COMMENT 'NULL: not since it was opened',
    ADD COLUMN address      VARCHAR(45)  NOT NULL DEFAULT '' COMMENT 'IP address of the client that logged in',
    ADD COLUMN user_agent   VARCHAR(200) NOT NULL DEFAULT '',
    ADD KEY sessions_live (member_id, revoked_at, id, expires_at);

-- The tokens of a session are a family: each is used once and has one successor. A token is 256 random bits, so that a
-- plain digest is enough to hide it. The successor is HMAC-SHA256 of the salt under the token: whoever shows the token again
-- at once, because the answer was lost, can be given the same one, and the table alone gives none.
CREATE TABLE refresh_tokens (
    token_hash BINARY(32)      NOT NULL COMMENT 'SHA-256',
    session_id BIGINT UNSIGNED NOT NULL,
    salt       BINARY(32)      NOT NULL,
    expires_at DATETIME(6)     NOT NULL,
    used_at    DATETIME(6)     NULL,
    PRIMARY KEY (token_hash),
    KEY refresh_tokens_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE refresh_tokens;
ALTER TABLE sessions
    DROP KEY sessions_live,
    DROP COLUMN user_agent,
    DROP COLUMN address,
    DROP COLUMN last_seen_at;
