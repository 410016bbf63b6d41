-- +goose Up
-- Nothing changes here. `orders migrate` mends what processes of the release before write for a week after the last migration,
-- and since this release it mends more.
DO 0;

-- +goose Down
DO 0;
