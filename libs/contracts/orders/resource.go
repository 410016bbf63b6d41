package orders

import "time"

// Resource is an order as the HTTP API shows it, on its own and as a member's last order. The names are drf-oms's, which
// has no state.
type Resource struct {
	ID          uint64 `json:"id"`
	Customer    uint64 `json:"customer"`
	OrderNumber string `json:"order_number"`
	ProductName string `json:"product_name"`
	PaymentedAt string `json:"paymented_at"`
	State       string `json:"state"`
}

// timeForm is ISO 8601 with microseconds and the offset of the zone, as Django writes times.
const timeForm = "2006-01-02T15:04:05.000000-07:00"

// Resource shows the order with its time in the given zone.
func (o Order) Resource(zone *time.Location) Resource {
	return Resource{
		ID: o.ID, Customer: o.CustomerID, OrderNumber: o.OrderNumber, ProductName: o.ProductName,
		PaymentedAt: FormatTime(o.PaidAt, zone), State: o.State,
	}
}

// FormatTime writes a time as the HTTP API shows it.
func FormatTime(at time.Time, zone *time.Location) string { return at.In(zone).Format(timeForm) }
