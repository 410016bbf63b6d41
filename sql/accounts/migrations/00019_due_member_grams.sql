-- +goose Up
ALTER TABLE members ADD COLUMN grams_due BOOLEAN AS (grams_email <> email OR grams_name <> name COLLATE utf8mb4_bin) VIRTUAL
    COMMENT 'the pieces are of another name or email';

-- +goose Down
ALTER TABLE members DROP COLUMN grams_due;
