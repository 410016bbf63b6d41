-- +goose Up
-- The notes about members who are deleted already. Those of later ones go when the orders service hears of the deletion.
UPDATE order_timeline SET note = '', redacted_by = 0
WHERE note <> '' AND customer_id IN (SELECT customer_id FROM former_customers);

-- +goose Down
SELECT 1;
