package authn

import (
	"fmt"

	"oms.internal/libs/fault"
)

// Denied is the cause of a fault that refuses a caller because what it asked for belongs to another member.
type Denied struct {
	MemberID uint64 // whose it is
}

// Error is for the log.
func (d *Denied) Error() string { return fmt.Sprintf("it belongs to member %d", d.MemberID) }

// NewHidden returns the fault for what belongs to the member and is not the caller's to see. To a client it is as if it were missing.
func NewHidden(memberID uint64) *fault.Error { return denied(fault.NewNotFound(), memberID) }

// NewForbidden returns the fault for what belongs to the member and is not the caller's to do.
func NewForbidden(memberID uint64) *fault.Error { return denied(fault.NewForbidden(), memberID) }

func denied(refusal *fault.Error, memberID uint64) *fault.Error {
	return fault.New(refusal.Code, refusal.Detail, &Denied{MemberID: memberID})
}
