-- +goose Up
-- Under which password a refresh token was issued: after a change of it, what the token gave is not given again. A digest of the
-- stored hash, which is salted, tells nothing of the password. NULL in tokens that processes of the version before issued.
ALTER TABLE refresh_tokens ADD COLUMN issued_under BINARY(32) NULL COMMENT 'SHA-256 of the password hash';

-- +goose Down
ALTER TABLE refresh_tokens DROP COLUMN issued_under;
