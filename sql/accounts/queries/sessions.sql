-- name: InsertSession :execlastid
INSERT INTO sessions (member_id, created_at, expires_at) VALUES (?, ?, ?);

-- name: RevokeSession :exec
UPDATE sessions SET revoked_at = ? WHERE id = ? AND member_id = ? AND revoked_at IS NULL;

-- name: RevokeSessionsOfMember :exec
UPDATE sessions SET revoked_at = sqlc.arg(revoked_at)
WHERE member_id = ? AND id <= sqlc.arg(through) AND revoked_at IS NULL;

-- name: GetLatestSessionID :one
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) FROM sessions WHERE member_id = ?;

-- name: ListRevokedSessions :many
SELECT id, expires_at FROM sessions WHERE id > ? AND revoked_at IS NOT NULL AND expires_at > ? ORDER BY id LIMIT ?;

-- name: DeleteExpiredSessions :execrows
DELETE FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?;
