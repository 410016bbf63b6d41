-- name: InsertAuditEvent :exec
INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- A filter that is not asked for ('' or NULL) is a constant to the server, which drops it before it chooses an index.
-- name: ListAuditEventIDs :many
SELECT id FROM audit_events
WHERE (sqlc.arg(action) = '' OR action = sqlc.arg(action))
  AND (sqlc.arg(outcome) = '' OR outcome = sqlc.arg(outcome))
  AND (sqlc.narg(actor) IS NULL OR actor = sqlc.narg(actor))
  AND (sqlc.narg(subject) IS NULL OR subject = sqlc.narg(subject))
  AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEvents :one
SELECT COUNT(*) FROM audit_events
WHERE (sqlc.arg(action) = '' OR action = sqlc.arg(action))
  AND (sqlc.arg(outcome) = '' OR outcome = sqlc.arg(outcome))
  AND (sqlc.narg(actor) IS NULL OR actor = sqlc.narg(actor))
  AND (sqlc.narg(subject) IS NULL OR subject = sqlc.narg(subject))
  AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);

-- name: ListAuditEventsByIDs :many
SELECT * FROM audit_events WHERE id IN (sqlc.slice(ids));
