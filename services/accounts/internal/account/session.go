package account

import (
	"context"
	"math"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// Login is the answer to a sign-up or login: the member as it sees itself, and its token.
type Login struct {
	View  View
	Token string
}

// NewMember is the input of a sign-up; the transport has checked its fields.
type NewMember struct {
	Email    string
	Name     string
	Nickname string
	Phone    string
	Gender   string
	Password string
}

// SignUp creates a member and its first session.
func (s *Service) SignUp(ctx context.Context, input NewMember) (Login, error) {
	hash, err := s.Passwords.Hash(ctx, input.Password)
	if err != nil {
		return Login{}, err
	}
	session := s.newSession()
	member, session, err := s.Store.CreateMember(ctx, Member{
		Email: input.Email, Name: input.Name, Nickname: input.Nickname, Phone: input.Phone, Gender: input.Gender,
		PasswordHash: hash, Active: true, CreatedAt: session.CreatedAt,
	}, session)
	if err != nil {
		return Login{}, err
	}
	s.Recent.Mark(member.ID)
	token, err := s.Tokens.Issue(member, session)
	if err != nil {
		return Login{}, err
	}
	// A new member has no order; there is no need to ask.
	return Login{View: View{Member: member}, Token: token}, nil
}

// LogIn opens a session for the member with this email and password. An unknown email, a wrong password and an inactive
// member get the same answer after the same work.
func (s *Service) LogIn(ctx context.Context, email, password string) (Login, error) {
	member, err := s.Store.MemberByEmail(ctx, email)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Login{}, err
	}
	ok, outdated, err := s.Passwords.Verify(ctx, member.PasswordHash, password)
	if err != nil {
		return Login{}, err
	}
	if !ok || !member.Active {
		return Login{}, fault.InvalidField("non_field_errors", "Incorrect Credentials")
	}
	rehashed := ""
	if outdated {
		if rehashed, err = s.Passwords.Hash(ctx, password); err != nil {
			return Login{}, err
		}
	}
	session, err := s.Store.CreateSession(ctx, member, s.newSession(), rehashed)
	if err != nil {
		return Login{}, err
	}
	token, err := s.Tokens.Issue(member, session)
	if err != nil {
		return Login{}, err
	}
	principal := authn.Principal{MemberID: member.ID, SessionID: session.ID, Admin: member.Admin}
	return Login{View: s.view(ctx, principal, member), Token: token}, nil
}

// LogOut ends the caller's session; its other sessions live on.
func (s *Service) LogOut(ctx context.Context, caller authn.Principal) ([]Revocation, error) {
	now := s.now()
	if err := s.Store.RevokeSession(ctx, caller.MemberID, caller.SessionID, now); err != nil {
		return nil, err
	}
	return s.announce(ctx, Revocation{SessionID: caller.SessionID, Until: now.Add(s.SessionLifetime)}), nil
}

// LogOutAll ends all sessions of the caller that there are now.
func (s *Service) LogOutAll(ctx context.Context, caller authn.Principal) ([]Revocation, error) {
	now := s.now()
	through, err := s.Store.RevokeSessions(ctx, caller.MemberID, now)
	if err != nil {
		return nil, err
	}
	return s.announce(ctx, Revocation{MemberID: caller.MemberID, ThroughSession: through, Until: now.Add(s.SessionLifetime)}), nil
}

// Delete removes a member and ends its sessions. Its orders stay with the orders service.
func (s *Service) Delete(ctx context.Context, caller authn.Principal, id uint64) ([]Revocation, error) {
	if err := s.MayChange(ctx, caller, id); err != nil {
		return nil, err
	}
	now := s.now()
	if err := s.Store.DeleteMember(ctx, id, now); err != nil {
		return nil, err
	}
	s.Recent.Mark(caller.MemberID)
	// Ids of members are never used again, so whatever session claims this one is revoked.
	return s.announce(ctx, Revocation{MemberID: id, ThroughSession: math.MaxInt64, Until: now.Add(s.SessionLifetime)}), nil
}

// Revoked lists the revocations that matter now, behind the given session id.
func (s *Service) Revoked(ctx context.Context, after uint64, most int) ([]Revocation, error) {
	sessions, err := s.Store.RevokedSessions(ctx, after, s.now(), most)
	if err != nil {
		return nil, err
	}
	revocations := make([]Revocation, len(sessions))
	for i, session := range sessions {
		revocations[i] = Revocation{SessionID: session.ID, Until: session.ExpiresAt}
	}
	return revocations, nil
}

func (s *Service) announce(ctx context.Context, revocation Revocation) []Revocation {
	revocations := []Revocation{revocation}
	s.Announcer.Announce(ctx, revocations)
	return revocations
}

// MayChange returns nil for an admin and for the member itself. Others hear NotFound about members that do not exist or
// are not theirs to see, and Forbidden about the rest.
func (s *Service) MayChange(ctx context.Context, caller authn.Principal, id uint64) error {
	if caller.Admin || caller.MemberID == id {
		return nil
	}
	if !s.sees(caller, id) {
		return fault.NewNotFound()
	}
	if _, err := s.Store.Member(ctx, id); err != nil {
		return err
	}
	return fault.NewForbidden()
}
