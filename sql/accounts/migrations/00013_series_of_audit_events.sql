-- +goose Up
-- How often the same happened: refusals and reads that come one after another are one row. Processes of the version before write
-- single events.
ALTER TABLE audit_events ADD COLUMN occurrences INT UNSIGNED NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE audit_events DROP COLUMN occurrences;
