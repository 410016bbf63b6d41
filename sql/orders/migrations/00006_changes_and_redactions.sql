-- +goose Up
-- What a change did, and which notes were removed. The key finds the notes about a customer who is deleted.
ALTER TABLE order_timeline
    ADD COLUMN changes     TEXT            CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'JSON, NULL where no field changed',
    ADD COLUMN redacted_by BIGINT UNSIGNED NULL COMMENT 'the admin who removed the note, 0 where its customer was deleted',
    ADD KEY order_timeline_customer (customer_id, id);

-- +goose Down
ALTER TABLE order_timeline DROP KEY order_timeline_customer, DROP COLUMN redacted_by, DROP COLUMN changes;
