-- +goose Up
-- Tokens that drf-oms (knox) issued, and the sessions that they stand for. Such a session is a row of sessions like any other, so
-- that it is listed, ended and swept as the others are. Its token_expires_at and its expires_at are both the expiry of the token,
-- because a revocation is kept until then, and the token is refused after it. It has no refresh token.
--
-- Whoever inserts one holds the lock on the row of its member, as a login does: what ends all sessions of the member goes by the
-- highest id there is, and so must find this one or come first.
CREATE TABLE knox_tokens (
    digest     BINARY(64)      NOT NULL COMMENT 'SHA-512 of the 32 bytes that the token spells in hex',
    session_id BIGINT UNSIGNED NOT NULL,
    expires_at DATETIME(6)     NOT NULL COMMENT 'when this row can be removed; the session says when the token expires',
    PRIMARY KEY (digest),
    KEY knox_tokens_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE knox_tokens;
