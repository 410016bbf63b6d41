-- name: InsertSession :execlastid
INSERT INTO sessions (member_id, created_at, expires_at, token_expires_at, last_seen_at, address, user_agent)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: GetSession :one
SELECT * FROM sessions WHERE id = ?;

-- name: ListSessionsByIDs :many
SELECT * FROM sessions WHERE id IN (sqlc.slice(ids));

-- The row must not go before the last access token does. The order of the assignments matters: each sees what those
-- before it set.
-- name: ExtendSession :exec
UPDATE sessions
SET token_expires_at = GREATEST(COALESCE(token_expires_at, expires_at), CAST(sqlc.arg(token_expires_at) AS DATETIME(6))),
    expires_at = GREATEST(CAST(sqlc.arg(expires_at) AS DATETIME(6)), token_expires_at)
WHERE id = sqlc.arg(id);

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

-- The highest id of a member's sessions, and when the last access token of any of them expires.
-- name: GetLatestOfSessions :one
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) AS id,
    CAST(COALESCE(MAX(COALESCE(token_expires_at, expires_at)), '1970-01-01') AS DATETIME(6)) AS token_expires_at
FROM sessions WHERE member_id = ?;

-- name: HasExpiredSessions :one
SELECT EXISTS (SELECT 1 FROM sessions WHERE expires_at < ?);

-- name: DeleteExpiredSessions :execrows
DELETE FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?;

-- Unlike ExtendSession this may bring the end nearer: the session has one token, and that is all there is of it.
-- name: SetEndOfSession :exec
UPDATE sessions SET expires_at = ?, token_expires_at = ? WHERE id = ?;
