-- +goose Up
-- When the last access token of a session expires: a revocation must last as long, whatever the lifetime of tokens is by
-- then. NULL in sessions that processes of the version before opened; their expires_at is later than any of their tokens'.
ALTER TABLE sessions ADD COLUMN token_expires_at DATETIME(6) NULL;

-- Who used a refresh token: the answer is repeated to the same client only.
ALTER TABLE refresh_tokens ADD COLUMN used_by BINARY(32) NULL COMMENT 'SHA-256 of network and user agent';

-- +goose Down
ALTER TABLE refresh_tokens DROP COLUMN used_by;
ALTER TABLE sessions DROP COLUMN token_expires_at;
