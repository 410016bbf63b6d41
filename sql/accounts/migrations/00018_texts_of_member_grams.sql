-- +goose Up
-- What a member's pieces were made of. A process of an earlier release changes a name or an email and leaves these columns as they
-- were. The next two migrations let searches and `accounts serve` find these members.
ALTER TABLE members
    ADD COLUMN grams_name  VARCHAR(20)  NOT NULL DEFAULT '',
    ADD COLUMN grams_email VARCHAR(100) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE members DROP COLUMN grams_email, DROP COLUMN grams_name;
