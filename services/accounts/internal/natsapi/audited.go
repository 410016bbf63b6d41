package natsapi

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/requestid"
)

const (
	// maxCount is more than orders counts in any outage: a thousand a second for a day.
	maxCount = 100_000_000
	// maxDetail is the length of the column.
	maxDetail = 200
)

// kind is what an audit event of one action says where the orders service tells of it.
type kind struct {
	outcome audit.Outcome
	detail  *regexp.Regexp
}

// aList is what audit.Asked says of a list of orders: fields, times and the word search. It has no slash, and so names no route.
var aList = regexp.MustCompile(`^[a-z_0-9= ,:TZ-]*$`)

// ofOrders are the actions that the orders service tells of. So it cannot make up a login, or a refusal of another service.
var ofOrders = map[audit.Action]kind{
	audit.OrderRead:    {audit.Success, regexp.MustCompile(`^order [0-9]+(, timeline)?$`)},
	audit.OrderList:    {audit.Success, aList},
	audit.OrderExport:  {audit.Success, aList},
	audit.Import:       {audit.Success, regexp.MustCompile(`^[0-9]+ of orders [0-9]+ to [0-9]+, from drf-oms$`)},
	audit.AccessDenied: {audit.Failure, regexp.MustCompile(`^[A-Z]+ /orders(/[a-z:/]*)?$`)},
}

// errUnknown says of an event that this release does not know the like of it. During an upgrade orders is the newer one of the two.
var errUnknown = errors.New("unknown to this release")

// auditEvent reads an audit event of orders. It fails with errUnknown where a newer release of orders may have meant it, and otherwise where
// none can. A time in the future becomes now. It comes of clocks that differ, or of one that was set back since.
func auditEvent(event events.Event, now time.Time, retention time.Duration) (audit.Event, error) {
	var data orders.AuditData
	if err := event.Decode(&data); err != nil {
		return audit.Event{}, err
	}
	told := audit.Event{
		At: event.Time, Action: audit.Action(data.Action), Actor: data.Actor, Subject: data.Subject, Address: data.Address,
		Outcome: audit.Outcome(data.Outcome), RequestID: data.RequestID, Detail: data.Detail, Count: data.Count,
	}
	if told.At.After(now) {
		told.At = now
	}
	kind, known := ofOrders[told.Action]
	address, noAddress := netip.ParseAddr(told.Address)
	merged := told.Detail == audit.OfManyKinds || told.Detail == audit.ByMany
	switch {
	case told.Count < 1 || told.Count > maxCount:
		return told, fmt.Errorf("the count %d is out of range", told.Count)
	case told.At.Before(now.Add(-retention)):
		return told, fmt.Errorf("the time %s is out of range", told.At.Format(time.RFC3339))
	case told.Address != "" && (noAddress != nil || address.Zone() != ""):
		return told, fmt.Errorf("the address %.*q is none", maxDetail, told.Address)
	case told.RequestID != "" && !requestid.Valid(told.RequestID):
		return told, fmt.Errorf("the request id %.*q is none", maxDetail, told.RequestID)
	case !known:
		return told, fmt.Errorf("the action %.*q is %w", maxDetail, data.Action, errUnknown)
	case told.Outcome != kind.outcome:
		return told, fmt.Errorf("the outcome %.*q of %s is %w", maxDetail, data.Outcome, told.Action, errUnknown)
	case !merged && !kind.detail.MatchString(told.Detail) || len(told.Detail) > maxDetail:
		return told, fmt.Errorf("the detail %.*q of %s is %w", maxDetail, told.Detail, told.Action, errUnknown)
	}
	return told, nil
}
