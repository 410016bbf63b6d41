-- +goose Up
ALTER TABLE members ADD KEY members_mailbox_due (mailbox_due, id);

-- +goose Down
ALTER TABLE members DROP KEY members_mailbox_due;
