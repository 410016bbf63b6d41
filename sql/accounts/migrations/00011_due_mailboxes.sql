-- +goose Up
ALTER TABLE members ADD COLUMN mailbox_due BOOLEAN AS (mailbox_email <> email) VIRTUAL COMMENT 'the mailbox is of another email';

-- +goose Down
ALTER TABLE members DROP COLUMN mailbox_due;
