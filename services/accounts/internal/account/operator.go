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
