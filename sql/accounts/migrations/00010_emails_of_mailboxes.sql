-- +goose Up
-- The email that a mailbox was made of. A process of an earlier release changes an email and leaves the mailbox and this column as
-- they were. So where the two emails differ, `accounts migrate` makes the mailbox anew; the next two migrations let it find
-- these rows. Each of the three is a change that both servers make without stopping writes.
ALTER TABLE members ADD COLUMN mailbox_email VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'empty where no mailbox was made';

-- +goose Down
ALTER TABLE members DROP COLUMN mailbox_email;
