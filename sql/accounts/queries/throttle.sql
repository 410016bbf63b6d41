-- What a login is judged by, in one statement: the counters, and a row where the device is known.
-- name: ListLoginFailures :many
SELECT subject, failures, failed_at, FALSE AS known FROM login_failures WHERE subject IN (sqlc.slice(subjects))
UNION ALL
SELECT device, 0, login_at, TRUE FROM known_devices WHERE member_id = sqlc.arg(member_id) AND device = sqlc.arg(device);

-- Locks two counters, and makes those that there are not yet. Who fails next for the same email or network waits here.
-- name: LockLoginFailures :exec
INSERT INTO login_failures (subject, failures, failed_at)
VALUES (sqlc.arg(email), 0, sqlc.arg(now)), (sqlc.arg(network), 0, sqlc.arg(now))
ON DUPLICATE KEY UPDATE failures = failures;

-- Quiet time takes one failure away for each forgive_seconds; most bounds what has to be forgiven. The order of the two
-- assignments matters: failures is computed from the old failed_at.
-- name: AddLoginFailure :exec
INSERT INTO login_failures (subject, failures, failed_at) VALUES (sqlc.arg(subject), 1, sqlc.arg(now))
ON DUPLICATE KEY UPDATE
    failures = LEAST(sqlc.arg(most), 1 + GREATEST(0,
        CAST(failures AS SIGNED) - GREATEST(0, TIMESTAMPDIFF(SECOND, failed_at, sqlc.arg(now))) DIV CAST(sqlc.arg(forgive_seconds) AS SIGNED))),
    failed_at = GREATEST(failed_at, sqlc.arg(now));

-- name: DeleteLoginFailures :exec
DELETE FROM login_failures WHERE subject IN (sqlc.slice(subjects));

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

-- name: DeleteOldKnownDevices :execrows
DELETE FROM known_devices WHERE login_at < ? ORDER BY login_at LIMIT ?;
