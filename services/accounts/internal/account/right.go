package account

import (
	"context"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// errInvalidToken is the answer to a token that does not count, whatever the reason.
var errInvalidToken = fault.New(fault.Unauthenticated, "Invalid token.", nil).WithHeader("WWW-Authenticate", "Token")

// authorize returns the caller with the admin right that it has now, if it may change the member; a token is up to ten
// hours old and proves no right. Others hear NotFound about members that do not exist or are not theirs to see, and
// Forbidden about the rest.
func (s *Service) authorize(ctx context.Context, caller authn.Principal, id uint64) (authn.Principal, error) {
	caller, err := s.withCurrentRights(ctx, caller)
	if err != nil || caller.Admin || caller.MemberID == id {
		return caller, err
	}
	if _, err := s.deps.Store.LatestMember(ctx, id); err != nil {
		return caller, err
	}
	if !s.sees(caller, id) {
		return caller, authn.NewHidden(id)
	}
	return caller, authn.NewForbidden(id)
}

// MayChange returns nil for an admin and for the member itself, else what authorize answers.
func (s *Service) MayChange(ctx context.Context, caller authn.Principal, id uint64) error {
	_, err := s.authorize(ctx, caller, id)
	return err
}

// withCurrentRights returns the caller with its rights as they are now. A member that is gone or inactive has none.
func (s *Service) withCurrentRights(ctx context.Context, caller authn.Principal) (authn.Principal, error) {
	member, err := s.deps.Store.LatestMember(ctx, caller.MemberID)
	if fault.Is(err, fault.NotFound) || err == nil && !member.Active {
		return authn.Principal{}, errInvalidToken
	}
	caller.Admin = member.Admin
	return caller, err
}

// requireAdmin demands that the caller's token bears the admin right and that the caller still has it.
func (s *Service) requireAdmin(ctx context.Context, caller authn.Principal) error {
	if !caller.Admin {
		return fault.NewForbidden()
	}
	caller, err := s.withCurrentRights(ctx, caller)
	if err == nil && !caller.Admin {
		return fault.NewForbidden()
	}
	return err
}
