-- name: InsertRefreshToken :exec
INSERT INTO refresh_tokens (token_hash, session_id, salt, expires_at, issued_under) VALUES (?, ?, ?, ?, ?);

-- name: GetRefreshTokenForUpdate :one
SELECT * FROM refresh_tokens WHERE token_hash = ? FOR UPDATE;

-- name: GetMemberIDOfRefreshToken :one
SELECT member_id FROM sessions JOIN refresh_tokens ON session_id = sessions.id WHERE token_hash = ?;

-- name: GetSessionForUpdate :one
SELECT * FROM sessions WHERE id = ? FOR UPDATE;

-- name: UseRefreshToken :exec
UPDATE refresh_tokens SET used_at = ?, used_by = ? WHERE token_hash = ?;

-- name: ForgetUserOfRefreshToken :exec
UPDATE refresh_tokens SET used_by = NULL WHERE token_hash = ?;

-- name: HasExpiredRefreshTokens :one
SELECT EXISTS (SELECT 1 FROM refresh_tokens WHERE expires_at < ?);

-- name: DeleteExpiredRefreshTokens :execrows
DELETE FROM refresh_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?;
