-- +goose Up
-- The canonical form of an email: all spellings of one mailbox have the same (libs/email), so it is what must be unique. Only
-- Go can make it, so rows of before get theirs from `accounts migrate`, after this file. It stays NULL where another member
-- has the mailbox, where the email is no address by today's rules, and in rows that a process of the version before wrote;
-- these are found by email_key, which stays unique for them.
ALTER TABLE members
    ADD COLUMN mailbox VARCHAR(360) NULL,
    ADD UNIQUE KEY members_mailbox (mailbox);

-- +goose Down
ALTER TABLE members
    DROP KEY members_mailbox,
    DROP COLUMN mailbox;
