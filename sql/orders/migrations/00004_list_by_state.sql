-- +goose Up
-- Lists by state, in the order of the ids and of the times, of all customers and of one. Tables and their lists: sql/README.md.
ALTER TABLE orders
    ADD KEY orders_state (state, id),
    ADD KEY orders_state_paid (state, paid_at, id),
    ADD KEY orders_customer_state (customer_id, state, id),
    ADD KEY orders_customer_state_paid (customer_id, state, paid_at, id);

-- +goose Down
ALTER TABLE orders
    DROP KEY orders_customer_state_paid,
    DROP KEY orders_customer_state,
    DROP KEY orders_state_paid,
    DROP KEY orders_state;
