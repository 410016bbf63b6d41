-- The counter's row is locked from here to the end of the transaction; take it last.
-- name: NextRevocation :execlastid
UPDATE revocation_counter SET latest = LAST_INSERT_ID(latest + 1) WHERE id = 1;

-- name: InsertRevocation :exec
INSERT INTO revocations (sequence, session_id, member_id, through_session, except_session, valid_until)
VALUES (?, ?, ?, ?, ?, ?);

-- name: GetLatestRevocation :one
SELECT latest FROM revocation_counter WHERE id = 1;

-- name: ListRevocations :many
SELECT * FROM revocations
WHERE sequence > sqlc.arg(after) AND sequence <= sqlc.arg(latest) AND valid_until > sqlc.arg(now)
ORDER BY sequence LIMIT ?;

-- name: HasExpiredRevocations :one
SELECT EXISTS (SELECT 1 FROM revocations WHERE valid_until < ?);

-- name: DeleteExpiredRevocations :execrows
DELETE FROM revocations WHERE valid_until < ? ORDER BY valid_until LIMIT ?;
