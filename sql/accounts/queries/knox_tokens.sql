-- Whom a token stands for now.
-- name: GetSessionOfKnoxToken :one
SELECT sqlc.embed(sessions), members.is_active, members.is_admin
FROM knox_tokens
    JOIN sessions ON sessions.id = knox_tokens.session_id
    JOIN members ON members.id = sessions.member_id
WHERE knox_tokens.digest = ?;

-- name: HasExpiredKnoxTokens :one
SELECT EXISTS (SELECT 1 FROM knox_tokens WHERE expires_at < ?);

-- name: DeleteExpiredKnoxTokens :execrows
DELETE FROM knox_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?;

-- What an import has taken of tokens that are valid, in the order of the digests.
-- name: ListKnoxTokensAfter :many
SELECT knox_tokens.digest, sessions.member_id, sessions.created_at, sessions.expires_at
FROM knox_tokens JOIN sessions ON sessions.id = knox_tokens.session_id
WHERE knox_tokens.digest > ? AND knox_tokens.expires_at > ? ORDER BY knox_tokens.digest LIMIT ?;

-- name: ListKnoxTokensForUpdate :many
SELECT knox_tokens.digest, sessions.id, sessions.member_id, sessions.created_at, sessions.expires_at
FROM knox_tokens JOIN sessions ON sessions.id = knox_tokens.session_id
WHERE knox_tokens.digest IN (sqlc.slice(digests)) FOR UPDATE;

-- name: InsertKnoxToken :exec
INSERT INTO knox_tokens (digest, session_id, expires_at) VALUES (?, ?, ?);

-- name: UpdateKnoxToken :exec
UPDATE knox_tokens SET expires_at = ? WHERE digest = ?;

-- name: DeleteKnoxToken :exec
DELETE FROM knox_tokens WHERE digest = ?;
