-- name: InsertAuditEvent :exec
INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail, occurrences) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: ListAuditEventsByIDs :many
SELECT * FROM audit_events WHERE id IN (sqlc.slice(ids));

-- name: HasOldAuditEvents :one
SELECT EXISTS (SELECT 1 FROM audit_events WHERE at < ?);
