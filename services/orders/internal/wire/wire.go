// Package wire shows orders as other processes and the outbox read them.
package wire

import (
	"oms.internal/libs/contracts/orders"
	"oms.internal/orders/internal/order"
)

// Order returns the order as a message.
func Order(shown order.Order) orders.Order {
	return orders.Order{
		ID: shown.ID, CustomerID: shown.CustomerID, OrderNumber: shown.OrderNumber, ProductName: shown.ProductName,
		PaidAt: shown.PaidAt, State: string(shown.State),
	}
}

// Event returns the fact as the data of its event.
func Event(fact order.Fact) orders.EventData {
	return orders.EventData{
		Order: Order(fact.Order), Version: fact.Order.Version, FromState: string(fact.From), ActorID: fact.ActorID,
	}
}
