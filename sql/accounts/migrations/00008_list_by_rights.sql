-- +goose Up
-- Lists of members for admins: by what they may do, and by when they came.
ALTER TABLE members
    ADD KEY members_active (is_active, id),
    ADD KEY members_admin (is_admin, id),
    ADD KEY members_created (created_at, id);

-- +goose Down
ALTER TABLE members
    DROP KEY members_created,
    DROP KEY members_admin,
    DROP KEY members_active;
