package accounts

// Types of the events that the accounts service publishes, each on oms.events.accounts.<type>.v1 (libs/events).
const (
	EventCreated = "created"
	EventChanged = "changed"
	EventDeleted = "deleted"
	// EventImported tells of many members at once, with ImportedData. These have no EventCreated.
	EventImported = "imported"
)

// EventData is the data of every event of one member. Names and contact data stay in the accounts service: an event is kept for days, and
// a member may ask to be forgotten.
type EventData struct {
	MemberID uint64 `json:"member_id"`
	// Version counts the changes of the member, from 1, its deletion included. Of two events the one with the higher version
	// came later, whenever it arrives.
	Version uint64 `json:"version"`
	Active  bool   `json:"active"`
	Admin   bool   `json:"admin"`
}

// ImportedData is the data of EventImported: rows of another system that were taken under the ids that they had there. Count of the ids
// from FirstID to LastID are new.
type ImportedData struct {
	From    string `json:"from"` // "drf-oms"
	FirstID uint64 `json:"first_id"`
	LastID  uint64 `json:"last_id"`
	Count   int    `json:"count"`
}
