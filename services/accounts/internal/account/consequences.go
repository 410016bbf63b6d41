package account

import (
	"context"
	"strings"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
)

// Consequences are what follows from a change of a member, in the same transaction.
type Consequences struct {
	Ending
	// EndsSessions ends all sessions but for the one with the id Except.
	EndsSessions bool
	Except       uint64
}

// consequences compares a member before and after a change.
func (s *Service) consequences(ctx context.Context, caller authn.Principal, before, after Member) Consequences {
	var events []audit.Event
	note := func(changed bool, action audit.Action, detail string) {
		if changed {
			events = append(events, s.event(ctx, action, caller, after.ID, detail))
		}
	}
	newPassword := before.PasswordHash != after.PasswordHash
	deactivated, demoted := before.Active && !after.Active, before.Admin && !after.Admin
	fields := changedFields(before, after)
	note(len(fields) > 0, audit.MemberUpdate, strings.Join(fields, " "))
	note(newPassword, audit.PasswordChange, "")
	note(deactivated, audit.Deactivation, "")
	note(!before.Active && after.Active, audit.Activation, "")
	note(demoted, audit.AdminRevoke, "")
	note(!before.Admin && after.Admin, audit.AdminGrant, "")

	result := Consequences{Ending: s.ending(events...), EndsSessions: newPassword || deactivated || demoted}
	if caller.MemberID == after.ID && !deactivated && !demoted {
		result.Except = caller.SessionID
	}
	return result
}

// changedFields names what is new. The names alone: what was and is there belongs to the member.
func changedFields(before, after Member) []string {
	var fields []string
	for _, field := range []struct{ name, before, after string }{
		{"email", before.Email, after.Email},
		{"name", before.Name, after.Name},
		{"nickname", before.Nickname, after.Nickname},
		{"phone", before.Phone, after.Phone},
		{"gender", before.Gender, after.Gender},
	} {
		if field.before != field.after {
			fields = append(fields, field.name)
		}
	}
	return fields
}
