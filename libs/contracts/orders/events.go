package orders

// Types of the events that the orders service publishes, each on oms.events.orders.<type>.v1 (libs/events).
const (
	EventCreated    = "created"
	EventChanged    = "changed"
	EventTransition = "transition"
	EventDeleted    = "deleted"
	// EventImported tells of many orders at once, with ImportedData. These have no EventCreated.
	EventImported = "imported"
	// EventAudited is how the release before tells accounts of audit events, with AuditData. Nothing publishes it any more. It may go with the
	// next release, and with it what accounts does to read it.
	EventAudited = "audited"
)

// AuditData is the data of an audit event (events.NewAudit), with which orders tells accounts what admins are to find in the list of audit
// events, as often as it happened; the time of the event is when it did first. The words are those of libs/audit.
type AuditData struct {
	Action string `json:"action"`
	// Actor is the member who did it, and Subject the one to whom it was done, 0 for none.
	Actor     uint64 `json:"actor"`
	Subject   uint64 `json:"subject"`
	Address   string `json:"address"`
	Outcome   string `json:"outcome"`
	RequestID string `json:"request_id"`
	Detail    string `json:"detail"`
	Count     int    `json:"count"`
}

// EventData is the data of every event of one order: the order as it is afterwards, or was before it was deleted.
type EventData struct {
	Order
	// Version counts the changes of the order, from 1, its deletion included. Events of one order may arrive in another order
	// than they happened; the one with the higher version came later.
	Version uint64 `json:"version"`
	// FromState is, in a transition, the state before.
	FromState string `json:"from_state,omitempty"`
	// ActorID is the member who did it, 0 where it was done in another system from which the order was imported.
	ActorID uint64 `json:"actor_id"`
}

// ImportedData is the data of EventImported: rows of another system that were taken under the ids that they had there. Count of the ids
// from FirstID to LastID are new.
type ImportedData struct {
	From    string `json:"from"` // "drf-oms"
	FirstID uint64 `json:"first_id"`
	LastID  uint64 `json:"last_id"`
	Count   int    `json:"count"`
}
