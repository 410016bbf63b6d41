package orders

// Types of the events that the orders service publishes, each on oms.events.orders.<type>.v1 (libs/events).
const (
	EventCreated    = "created"
	EventChanged    = "changed"
	EventTransition = "transition"
	EventDeleted    = "deleted"
)

// EventData is the data of every event: the order as it is afterwards, or was before it was deleted.
type EventData struct {
	Order
	// Version counts the changes of the order, from 1, its deletion included. Events of one order may arrive in another order
	// than they happened; the one with the higher version came later.
	Version uint64 `json:"version"`
	// FromState is, in a transition, the state before.
	FromState string `json:"from_state,omitempty"`
	// ActorID is the member who did it.
	ActorID uint64 `json:"actor_id"`
}
