-- name: InsertSession :execlastid
INSERT INTO sessions (member_id, created_at, expires_at, last_seen_at, address, user_agent) VALUES (?, ?, ?, ?, ?, ?);

-- name: GetSession :one
SELECT * FROM sessions WHERE id = ?;

-- name: ListLiveSessionIDs :many
SELECT id FROM sessions WHERE member_id = ? AND revoked_at IS NULL AND expires_at > ? ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: CountLiveSessions :one
SELECT COUNT(*) FROM sessions WHERE member_id = ? AND revoked_at IS NULL AND expires_at > ?;

-- name: ListSessionsByIDs :many
SELECT * FROM sessions WHERE id IN (sqlc.slice(ids));

-- name: ExtendSession :exec
UPDATE sessions SET expires_at = ? WHERE id = ?;

-- One statement for a batch: FIELD finds the place of a row's id, ELT the time at that place. A time that is not newer
-- changes nothing.
-- name: UpdateSessionsSeen :exec
UPDATE sessions
SET last_seen_at = GREATEST(COALESCE(last_seen_at, created_at),
    CAST(ELT(FIELD(CAST(id AS CHAR), sqlc.slice(positions)), sqlc.slice(times)) AS DATETIME(6)))
WHERE id IN (sqlc.slice(ids));

-- name: RevokeSession :execrows
UPDATE sessions SET revoked_at = ? WHERE id = ? AND member_id = ? AND revoked_at IS NULL;

-- name: RevokeSessionsOfMember :execrows
UPDATE sessions SET revoked_at = sqlc.arg(revoked_at)
WHERE member_id = ? AND id <= sqlc.arg(through) AND id <> sqlc.arg(except_id) AND revoked_at IS NULL;

-- name: ForgetOriginsOfMember :exec
UPDATE sessions SET address = '', user_agent = '' WHERE member_id = ?;

-- name: GetLatestSessionID :one
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) FROM sessions WHERE member_id = ?;

-- name: DeleteExpiredSessions :execrows
DELETE FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?;
