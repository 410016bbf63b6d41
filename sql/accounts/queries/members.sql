-- Every query names what it does: verb, entity, qualifier. Lists come in two steps, first the ids of a page from an index
-- alone, then the rows by their ids: a deep page skips index entries instead of rows, and no ordering needs a sort.

-- name: InsertMember :execlastid
INSERT INTO members (email, email_key, mailbox, name, nickname, phone, gender, password_hash, is_admin, is_active, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetMember :one
SELECT * FROM members WHERE id = ?;

-- name: GetMemberForUpdate :one
SELECT * FROM members WHERE id = ? FOR UPDATE;

-- Whose the mailbox is, and rows of before that may have it although they have none of their own: account.Holder chooses.
-- name: ListMembersByMailbox :many
SELECT * FROM members AS holder WHERE holder.mailbox = sqlc.arg(mailbox)
UNION ALL
SELECT * FROM members AS unkeyed WHERE unkeyed.email_key IN (sqlc.slice(email_keys));

-- One pass by id, which MariaDB does not see in the index of mailboxes.
-- name: ListMembersWithoutMailbox :many
SELECT id, email FROM members IGNORE INDEX (members_mailbox) WHERE mailbox IS NULL AND id > ? ORDER BY id LIMIT ?;

-- The email is compared because the member may change it meanwhile.
-- name: SetMailbox :exec
UPDATE members SET mailbox = ?, email_key = ? WHERE id = ? AND email = ?;

-- name: ListMembersByIDs :many
SELECT * FROM members WHERE id IN (sqlc.slice(ids));

-- Whatever changes a row counts as a version of it. A member that keeps its email keeps its mailbox, or the lack of one. That
-- stands before the email because both servers assign from left to right.
-- name: UpdateMember :exec
UPDATE members
SET mailbox = IF(email = sqlc.arg(email), mailbox, sqlc.arg(mailbox)), email = sqlc.arg(email), email_key = ?, name = ?, nickname = ?, phone = ?, gender = ?, password_hash = ?, is_admin = ?, is_active = ?,
    version = version + 1
WHERE id = ?;

-- name: UpdateMemberPasswordHash :exec
UPDATE members SET password_hash = sqlc.arg(new_hash), version = version + 1 WHERE id = ? AND password_hash = sqlc.arg(old_hash);

-- name: DeleteMember :exec
DELETE FROM members WHERE id = ?;

-- name: CountMembers :one
SELECT COUNT(*) FROM members;

-- name: CountMembersNamed :one
SELECT COUNT(*) FROM members WHERE name = ?;

-- name: ListMemberIDsOrderByID :many
SELECT id FROM members ORDER BY id LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByIDDesc :many
SELECT id FROM members ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByEmail :many
SELECT id FROM members ORDER BY email_key LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByEmailDesc :many
SELECT id FROM members ORDER BY email_key DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByName :many
SELECT id FROM members ORDER BY name, id LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByNameDesc :many
SELECT id FROM members ORDER BY name DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByNickname :many
SELECT id FROM members ORDER BY nickname, id LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByNicknameDesc :many
SELECT id FROM members ORDER BY nickname DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByPhone :many
SELECT id FROM members ORDER BY phone, id LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByPhoneDesc :many
SELECT id FROM members ORDER BY phone DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByGender :many
SELECT id FROM members ORDER BY gender, id LIMIT ? OFFSET ?;

-- name: ListMemberIDsOrderByGenderDesc :many
SELECT id FROM members ORDER BY gender DESC, id DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsNamedOrderByID :many
SELECT id FROM members WHERE name = ? ORDER BY id LIMIT ? OFFSET ?;

-- name: ListMemberIDsNamedOrderByIDDesc :many
SELECT id FROM members WHERE name = ? ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: ListMemberIDsWithEmail :many
SELECT id FROM members WHERE email_key = sqlc.arg(email_key) AND (sqlc.arg(name) = '' OR name = sqlc.arg(name));

-- Substring search, and orderings by more than one field: both read the whole table, once. A term is a LIKE pattern, '%'
-- where there are fewer. emails_of is 0, or the only member whose email may be searched and filtered by. A key is a
-- field's name, with a minus for descending, or ''.

-- name: SearchMemberIDs :many
SELECT id FROM members
WHERE (sqlc.arg(email_key) = '' OR (email_key = sqlc.arg(email_key) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (sqlc.arg(name) = '' OR name = sqlc.arg(name))
  AND (name LIKE sqlc.arg(term1) OR (email_key LIKE sqlc.arg(term1) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term2) OR (email_key LIKE sqlc.arg(term2) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term3) OR (email_key LIKE sqlc.arg(term3) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term4) OR (email_key LIKE sqlc.arg(term4) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term5) OR (email_key LIKE sqlc.arg(term5) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term6) OR (email_key LIKE sqlc.arg(term6) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term7) OR (email_key LIKE sqlc.arg(term7) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term8) OR (email_key LIKE sqlc.arg(term8) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
ORDER BY
    CASE sqlc.arg(key1) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'email' THEN email_key COLLATE utf8mb4_unicode_520_ci WHEN 'name' THEN name
        WHEN 'nickname' THEN nickname COLLATE utf8mb4_unicode_520_ci WHEN 'phone' THEN phone COLLATE utf8mb4_unicode_520_ci
        WHEN 'gender' THEN gender COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key1) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-email' THEN email_key COLLATE utf8mb4_unicode_520_ci WHEN '-name' THEN name
        WHEN '-nickname' THEN nickname COLLATE utf8mb4_unicode_520_ci WHEN '-phone' THEN phone COLLATE utf8mb4_unicode_520_ci
        WHEN '-gender' THEN gender COLLATE utf8mb4_unicode_520_ci END DESC,
    CASE sqlc.arg(key2) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'email' THEN email_key COLLATE utf8mb4_unicode_520_ci WHEN 'name' THEN name
        WHEN 'nickname' THEN nickname COLLATE utf8mb4_unicode_520_ci WHEN 'phone' THEN phone COLLATE utf8mb4_unicode_520_ci
        WHEN 'gender' THEN gender COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key2) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-email' THEN email_key COLLATE utf8mb4_unicode_520_ci WHEN '-name' THEN name
        WHEN '-nickname' THEN nickname COLLATE utf8mb4_unicode_520_ci WHEN '-phone' THEN phone COLLATE utf8mb4_unicode_520_ci
        WHEN '-gender' THEN gender COLLATE utf8mb4_unicode_520_ci END DESC,
    CASE sqlc.arg(key3) WHEN 'id' THEN LPAD(id, 20, '0') WHEN 'email' THEN email_key COLLATE utf8mb4_unicode_520_ci WHEN 'name' THEN name
        WHEN 'nickname' THEN nickname COLLATE utf8mb4_unicode_520_ci WHEN 'phone' THEN phone COLLATE utf8mb4_unicode_520_ci
        WHEN 'gender' THEN gender COLLATE utf8mb4_unicode_520_ci END ASC,
    CASE sqlc.arg(key3) WHEN '-id' THEN LPAD(id, 20, '0') WHEN '-email' THEN email_key COLLATE utf8mb4_unicode_520_ci WHEN '-name' THEN name
        WHEN '-nickname' THEN nickname COLLATE utf8mb4_unicode_520_ci WHEN '-phone' THEN phone COLLATE utf8mb4_unicode_520_ci
        WHEN '-gender' THEN gender COLLATE utf8mb4_unicode_520_ci END DESC,
    id
LIMIT ? OFFSET ?;

-- name: CountMembersFound :one
SELECT COUNT(*) FROM members
WHERE (sqlc.arg(email_key) = '' OR (email_key = sqlc.arg(email_key) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (sqlc.arg(name) = '' OR name = sqlc.arg(name))
  AND (name LIKE sqlc.arg(term1) OR (email_key LIKE sqlc.arg(term1) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term2) OR (email_key LIKE sqlc.arg(term2) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term3) OR (email_key LIKE sqlc.arg(term3) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term4) OR (email_key LIKE sqlc.arg(term4) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term5) OR (email_key LIKE sqlc.arg(term5) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term6) OR (email_key LIKE sqlc.arg(term6) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term7) OR (email_key LIKE sqlc.arg(term7) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))))
  AND (name LIKE sqlc.arg(term8) OR (email_key LIKE sqlc.arg(term8) AND (sqlc.arg(emails_of) = 0 OR id = sqlc.arg(emails_of))));

-- name: MatchMembers :many
SELECT id FROM members WHERE name LIKE sqlc.arg(term) OR email_key LIKE sqlc.arg(term) ORDER BY id LIMIT ?;

-- name: MatchMember :many
SELECT id FROM members WHERE id = ? AND (name LIKE sqlc.arg(term) OR email_key LIKE sqlc.arg(term));
