-- Every query names what it does: verb, entity, qualifier. The ids of a list's page come from libs/listing/listsql.

-- name: InsertMember :execlastid
INSERT INTO members (email, mailbox_email, grams_email, email_key, mailbox, name, grams_name, nickname, phone, gender, password_hash, is_admin, is_active, created_at)
VALUES (sqlc.arg(email), sqlc.arg(email), sqlc.arg(email), ?, ?, sqlc.arg(name), sqlc.arg(name), ?, ?, ?, ?, ?, ?, ?);

-- name: GetMember :one
SELECT * FROM members WHERE id = ?;

-- name: GetMemberForUpdate :one
SELECT * FROM members WHERE id = ? FOR UPDATE;

-- Whose the mailbox is, and rows of before that may have it although they have none of their own: account.Holder chooses.
-- name: ListMembersByMailbox :many
SELECT * FROM members AS holder WHERE holder.mailbox = sqlc.arg(mailbox)
UNION ALL
SELECT * FROM members AS unkeyed WHERE unkeyed.email_key IN (sqlc.slice(email_keys));

-- name: ListDueMailboxes :many
SELECT id, email, mailbox FROM members WHERE mailbox_due = TRUE AND id > ? ORDER BY id LIMIT ?;

-- name: ClearMailboxes :exec
UPDATE members SET mailbox = NULL, mailbox_email = '' WHERE id IN (sqlc.slice(ids)) AND mailbox_due = TRUE;

-- The email is compared because the member may change it meanwhile.
-- name: SetMailbox :exec
UPDATE members SET mailbox = ?, email_key = ?, mailbox_email = email WHERE id = ? AND email = ?;

-- name: SetEmailKey :exec
UPDATE members SET email_key = ? WHERE id = ? AND email = ?;

-- What nobody is shown in a list stays where it is: the hash of the password, and what only searches read.
-- name: ListMembersByIDs :many
SELECT id, email, name, nickname, phone, gender, is_admin, is_active, created_at, version FROM members WHERE id IN (sqlc.slice(ids));

-- Whatever changes a row counts as a version of it. A member that keeps its email keeps its mailbox, or the lack of one. That
-- stands before the email because both servers assign from left to right.
-- name: UpdateMember :exec
UPDATE members
SET mailbox = IF(email = sqlc.arg(email), mailbox, sqlc.arg(mailbox)),
    mailbox_email = IF(email = sqlc.arg(email), mailbox_email, sqlc.arg(email)),
    email = sqlc.arg(email), email_key = ?, name = ?, nickname = ?, phone = ?, gender = ?, password_hash = ?, is_admin = ?, is_active = ?,
    version = version + 1
WHERE id = ?;

-- name: UpdateMemberPasswordHash :exec
UPDATE members SET password_hash = sqlc.arg(new_hash), version = version + 1 WHERE id = ? AND password_hash = sqlc.arg(old_hash);

-- The row's version stays: nothing that anybody sees changes.
-- name: SetGramsMade :exec
UPDATE members SET grams_name = name, grams_email = email WHERE id = ?;

-- name: ListDueGrams :many
SELECT id FROM members FORCE INDEX (members_grams_due) WHERE grams_due = TRUE ORDER BY id LIMIT ?;

-- One row by its whole key: a range of several might lock the places beside them, where other members' pieces come.
-- name: DeleteGram :exec
DELETE FROM member_grams WHERE gram = ? AND member_id = ?;

-- name: DeleteMember :exec
DELETE FROM members WHERE id = ?;

-- name: ListMembersForUpdate :many
SELECT * FROM members WHERE id IN (sqlc.slice(ids)) ORDER BY id FOR UPDATE;

-- name: ListPresentMembers :many
SELECT id FROM members WHERE id IN (sqlc.slice(ids));

-- name: ListHolders :many
SELECT mailbox.id, mailbox.email, mailbox.email_key FROM members AS mailbox WHERE mailbox.mailbox IN (sqlc.slice(mailboxes))
UNION ALL
SELECT keyed.id, keyed.email, keyed.email_key FROM members AS keyed WHERE keyed.email_key IN (sqlc.slice(email_keys));

-- Of those who were deleted here, this is all that remains.
-- name: ListDeletedMembers :many
SELECT subject FROM audit_events FORCE INDEX (audit_events_subject) WHERE subject IN (sqlc.slice(ids)) AND action = 'member_delete';

-- name: GetHighestMember :one
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) FROM members;

-- Who of these was imported, and is here.
-- name: ListImportedMembers :many
SELECT members.id FROM drf_imports JOIN members ON members.id = drf_imports.id WHERE drf_imports.id IN (sqlc.slice(ids));
