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
