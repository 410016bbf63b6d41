package account

import (
	"context"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// What an operator of the machine does. Its actor is nobody.

// CreateAdmin creates an admin, or gives an existing member the admin right and the password, and ends its sessions. It is
// for operators, not for callers over a network.
func (s *Service) CreateAdmin(ctx context.Context, email, password string) (created bool, err error) {
	hash, err := s.deps.Passwords.Hash(ctx, "", password)
	if err != nil {
		return false, err
	}
	created, revocations, err := s.deps.Store.CreateAdmin(ctx, Member{
		Email: email, Name: "Admin", Nickname: "admin", Phone: "0000000",
		PasswordHash: hash, Admin: true, Active: true, CreatedAt: s.now(),
	}, s.ending(s.event(ctx, audit.AdminGrant, authn.Principal{}, 0, "")))
	if err == nil {
		s.publish(ctx, revocations)
	}
	return created, err
}

// SetAdmin gives the member whom an email names the admin right, or takes it away, as Update does. The password stays. It reports
// whether that changed anything.
func (s *Service) SetAdmin(ctx context.Context, email string, admin bool) (changed bool, err error) {
	member, err := s.deps.Store.MemberByEmail(ctx, email)
	if err != nil {
		return false, err
	}
	_, revocations, err := s.deps.Store.UpdateMember(ctx, member.ID, func(present *Member) (Consequences, error) {
		before := *present
		if before.Email != member.Email {
			return Consequences{}, fault.NewNotFound() // the member took another email meanwhile
		}
		present.Admin, changed = admin, before.Admin != admin
		return s.consequences(ctx, authn.Principal{}, before, *present), nil
	})
	if err != nil {
		return false, err
	}
	s.publish(ctx, revocations)
	return changed, nil
}

// Admins returns a function that reads all members with the admin right, in parts, until it returns none.
func (s *Service) Admins() (next func(context.Context) ([]Member, error)) {
	request := listing.Request{Ordering: []listing.Key{{Field: "id"}}}.Only("is_admin", true)
	return listing.Walk(request, exportPage, func(ctx context.Context, request listing.Request) (listing.Rows[Member], error) {
		return s.deps.Store.Members(ctx, Query{Request: request})
	})
}

// Imported are the audit events of members that were taken from another system, and of those among them who have the admin right there.
func (s *Service) Imported(ctx context.Context, detail string, admins ...uint64) []audit.Event {
	events := []audit.Event{s.event(ctx, audit.Import, authn.Principal{}, 0, detail)}
	for _, id := range admins {
		events = append(events, s.event(ctx, audit.AdminGrant, authn.Principal{}, id, "imported"))
	}
	return events
}

// ChangedElsewhere is what follows from a change that an import brings. It is that of any change, but a new password ends no session: who
// imports brings the sessions that the other system still has.
func (s *Service) ChangedElsewhere(ctx context.Context, before, after Member) Consequences {
	follows := s.consequences(ctx, authn.Principal{}, before, after)
	follows.EndsSessions = before.Active && !after.Active || before.Admin && !after.Admin
	return follows
}

// DeletedElsewhere is the ending of a member that is gone in the other system.
func (s *Service) DeletedElsewhere(ctx context.Context, id uint64) Ending {
	return s.ending(s.event(ctx, audit.MemberDelete, authn.Principal{}, id, "imported"))
}

// Publish tells all gateways what was revoked.
func (s *Service) Publish(ctx context.Context, revocations []Revocation) { s.publish(ctx, revocations) }

// EndedElsewhere is the ending of a session that was ended in the other system.
func (s *Service) EndedElsewhere(ctx context.Context) Ending {
	return s.ending(s.event(ctx, audit.SessionEnd, authn.Principal{}, 0, ""))
}
