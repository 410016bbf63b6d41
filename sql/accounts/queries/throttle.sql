-- What a login is judged by, in one statement: the counters, and a row where the device is known.
-- name: ListLoginFailures :many
SELECT subject, failures, failed_at, FALSE AS known FROM login_failures WHERE subject IN (sqlc.slice(subjects))
UNION ALL
SELECT device, 0, login_at, TRUE FROM known_devices WHERE member_id = sqlc.arg(member_id) AND device = sqlc.arg(device);

-- Locks the counters of an attempt, and makes those that there are not yet. An attempt that has fewer repeats the last one. Who
-- fails next for one of them waits here.
-- name: LockLoginFailures :exec
INSERT INTO login_failures (subject, failures, failed_at)
VALUES (sqlc.arg(first), 0, sqlc.arg(now)), (sqlc.arg(second), 0, sqlc.arg(now)), (sqlc.arg(third), 0, sqlc.arg(now)), (sqlc.arg(fourth), 0, sqlc.arg(now))
ON DUPLICATE KEY UPDATE failures = failures;

-- Stores counters that are locked, the device's among them: all in one statement, so that every failure costs the same.
-- name: StoreLoginFailures :exec
INSERT INTO login_failures (subject, failures, failed_at)
VALUES (sqlc.arg(subject_1), sqlc.arg(failures_1), sqlc.arg(failed_at_1)), (sqlc.arg(subject_2), sqlc.arg(failures_2), sqlc.arg(failed_at_2)),
    (sqlc.arg(subject_3), sqlc.arg(failures_3), sqlc.arg(failed_at_3)), (sqlc.arg(subject_4), sqlc.arg(failures_4), sqlc.arg(failed_at_4)),
    (sqlc.arg(subject_5), sqlc.arg(failures_5), sqlc.arg(failed_at_5))
ON DUPLICATE KEY UPDATE failures = VALUES(failures), failed_at = VALUES(failed_at);

-- name: DeleteLoginFailures :exec
DELETE FROM login_failures WHERE subject IN (sqlc.slice(subjects));

-- name: HasOldLoginFailures :one
SELECT EXISTS (SELECT 1 FROM login_failures WHERE failed_at < ?);

-- name: DeleteOldLoginFailures :execrows
DELETE FROM login_failures WHERE failed_at < ? ORDER BY failed_at LIMIT ?;

-- name: UpsertKnownDevice :exec
INSERT INTO known_devices (member_id, device, login_at) VALUES (sqlc.arg(member_id), sqlc.arg(device), sqlc.arg(now))
ON DUPLICATE KEY UPDATE login_at = GREATEST(login_at, sqlc.arg(now));

-- name: CountKnownDevices :one
SELECT COUNT(*) FROM known_devices WHERE member_id = ?;

-- name: DeleteOldestKnownDevices :exec
DELETE FROM known_devices WHERE member_id = ? ORDER BY login_at LIMIT ?;

-- name: DeleteKnownDevicesOfMember :exec
DELETE FROM known_devices WHERE member_id = ?;

-- name: HasOldKnownDevices :one
SELECT EXISTS (SELECT 1 FROM known_devices WHERE login_at < ?);

-- name: DeleteOldKnownDevices :execrows
DELETE FROM known_devices WHERE login_at < ? ORDER BY login_at LIMIT ?;
