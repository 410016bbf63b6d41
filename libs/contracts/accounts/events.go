package accounts

// Types of the events that the accounts service publishes, each on oms.events.accounts.<type>.v1 (libs/events).
const (
	EventCreated = "created"
	EventChanged = "changed"
	EventDeleted = "deleted"
)

// EventData is the data of every event. Names and contact data stay in the accounts service: an event is kept for days, and
// a member may ask to be forgotten.
type EventData struct {
	MemberID uint64 `json:"member_id"`
	// Version counts the changes of the member, from 1, its deletion included. Of two events the one with the higher version
	// came later, whenever it arrives.
	Version uint64 `json:"version"`
	Active  bool   `json:"active"`
	Admin   bool   `json:"admin"`
}
