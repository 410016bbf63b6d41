-- name: InsertAuditEvent :exec
INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: ListAuditEventsByIDs :many
SELECT * FROM audit_events WHERE id IN (sqlc.slice(ids));

-- Each filter has an index of its own, from which alone its pages are read. Several filters at once are the queries named
-- Search and Found: they take one of these indexes and look at the rows. The index is prescribed because MySQL otherwise
-- prefers to sort for a page far behind.

-- name: ListAuditEventIDs :many
SELECT id FROM audit_events FORCE INDEX (audit_events_at) WHERE at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEvents :one
SELECT COUNT(*) FROM audit_events FORCE INDEX (audit_events_at) WHERE at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);

-- name: ListAuditEventIDsByAction :many
SELECT id FROM audit_events FORCE INDEX (audit_events_action) WHERE action = sqlc.arg(action) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEventsByAction :one
SELECT COUNT(*) FROM audit_events FORCE INDEX (audit_events_action) WHERE action = sqlc.arg(action) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);

-- name: ListAuditEventIDsByActor :many
SELECT id FROM audit_events FORCE INDEX (audit_events_actor) WHERE actor = sqlc.arg(actor) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEventsByActor :one
SELECT COUNT(*) FROM audit_events FORCE INDEX (audit_events_actor) WHERE actor = sqlc.arg(actor) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);

-- name: ListAuditEventIDsBySubject :many
SELECT id FROM audit_events FORCE INDEX (audit_events_subject) WHERE subject = sqlc.arg(subject) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEventsBySubject :one
SELECT COUNT(*) FROM audit_events FORCE INDEX (audit_events_subject) WHERE subject = sqlc.arg(subject) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);

-- name: ListAuditEventIDsByOutcome :many
SELECT id FROM audit_events FORCE INDEX (audit_events_outcome) WHERE outcome = sqlc.arg(outcome) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEventsByOutcome :one
SELECT COUNT(*) FROM audit_events FORCE INDEX (audit_events_outcome) WHERE outcome = sqlc.arg(outcome) AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);

-- A filter that is not asked for ('' or NULL) is a constant to the server, which drops it before it chooses an index.
-- name: SearchAuditEventIDs :many
SELECT id FROM audit_events
WHERE (sqlc.arg(action) = '' OR action = sqlc.arg(action))
  AND (sqlc.arg(outcome) = '' OR outcome = sqlc.arg(outcome))
  AND (sqlc.narg(actor) IS NULL OR actor = sqlc.narg(actor))
  AND (sqlc.narg(subject) IS NULL OR subject = sqlc.narg(subject))
  AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at)
ORDER BY at DESC, id DESC LIMIT ? OFFSET ?;

-- name: CountAuditEventsFound :one
SELECT COUNT(*) FROM audit_events
WHERE (sqlc.arg(action) = '' OR action = sqlc.arg(action))
  AND (sqlc.arg(outcome) = '' OR outcome = sqlc.arg(outcome))
  AND (sqlc.narg(actor) IS NULL OR actor = sqlc.narg(actor))
  AND (sqlc.narg(subject) IS NULL OR subject = sqlc.narg(subject))
  AND at >= sqlc.arg(since_at) AND at < sqlc.arg(before_at);
