-- +goose Up
ALTER TABLE members ADD KEY members_grams_due (grams_due, id);

-- +goose Down
ALTER TABLE members DROP KEY members_grams_due;
