package account

import (
	"cmp"
	"context"
	"errors"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

// Login is the answer to a sign-up or login: the member as it sees itself, and its tokens.
type Login struct {
	View View
	Grant
}

// errCredentials is the one answer to a login that fails, whatever was wrong.
var errCredentials = fault.InvalidField("non_field_errors", "Incorrect Credentials")

// LoginRecord is what the store keeps with a new session.
type LoginRecord struct {
	Refresh RefreshToken
	// Attempt says which device is known from now on and, after a login, which counters start anew.
	Attempt Attempt
	// Judge refuses the login by its standing at the time of the write; nil for a sign-up.
	Judge func(Standing) error
	// Rehashed replaces the member's password hash unless it is "".
	Rehashed string
	// Event gets the id of the session, and of the member where that is new.
	Event audit.Event
}

// open prepares a session and its first refresh token.
func (s *Service) open(client Client, passwordHash string) (Session, secret, RefreshToken, error) {
	now := s.now()
	token, err := s.random()
	if err != nil {
		return Session{}, nil, RefreshToken{}, err
	}
	kept, err := s.newRefreshToken(token, Member{PasswordHash: passwordHash}.password())
	return Session{
		CreatedAt: now, ExpiresAt: kept.ExpiresAt, TokenExpiresAt: now.Add(s.deps.TokenLifetime), LastSeenAt: now, Address: client.Address, UserAgent: client.UserAgent,
	}, token, kept, err
}

// ErrPasswordChanged says that a member's password hash is not the one that was verified.
var ErrPasswordChanged = errors.New("the password changed after it was verified")

// LogIn opens a session for the member with this email and password. An unknown email, a wrong password and an inactive
// member get the same answer after the same work: the same hashes of the password and the same statements.
//
// While a hash is computed, the password may change, or another login may replace the hash by a newer one of the same password.
// So when the store finds another hash than the verified one, LogIn verifies that one too, once.
func (s *Service) LogIn(ctx context.Context, client Client, email, password string) (Login, error) {
	if err := s.deps.Passwords.Ready(client.household()); err != nil {
		return Login{}, err
	}
	member, err := s.deps.Store.MemberByEmail(ctx, email)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Login{}, err
	}
	attempt := newPasswordAttempt(client, email, member.ID)
	standing, err := s.deps.Store.Standing(ctx, attempt)
	if err != nil {
		return Login{}, err
	}
	began := s.deps.Now()
	failure, wait := s.failed(ctx, client, authn.Principal{}, audit.Login, member.ID), attempt.wait(standing, s.now())
	login, err := Login{}, s.noteEarly(failure, s.judge(attempt, standing))
	if err == nil {
		login, err = s.verified(ctx, client, member, attempt, password)
	}
	if err != nil && wait > 0 {
		err = s.tooEarly(ctx, err, wait)
	}
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooManyRequests) {
		s.deps.Pause(ctx, refusalTime-s.deps.Now().Sub(began))
	}
	return login, err
}

// tooEarly is the one answer to a login within a delay that fails. Only the password of a known device is looked at, so that anything
// else which goes wrong meanwhile (the line at the hash is full, the database is away) would tell of one. The log names it.
func (s *Service) tooEarly(ctx context.Context, err error, wait time.Duration) error {
	if !fault.Is(err, fault.TooManyRequests) {
		s.deps.Log.WarnContext(ctx, "a login within a delay failed, and its client hears only of the delay", "error", err)
	}
	return fault.NewTooManyRequests(wait)
}

// refusalTime is the least time after which a password is refused. Django's hashes take ten times as long as ours, and an unknown
// email costs one of ours. Without the pause, the time of an answer would tell who has a hash of Django's, and so is a member.
// It is longer than the slowest hash with those before it in line. It holds no place in that line, and a right password does
// not wait for it. A login that comes too early takes as long, since the password of a known device is looked at even then. Any number
// may wait at the same time, because the service has answered meanwhile (httpx.Pause). So nobody who waits keeps a known device out.
const refusalTime = time.Second

// verified opens a session if the password is the member's.
func (s *Service) verified(ctx context.Context, client Client, member Member, attempt Attempt, password string) (Login, error) {
	login, err := s.verifyAndLogIn(ctx, client, member, attempt, password)
	if errors.Is(err, ErrPasswordChanged) {
		if member, err = s.deps.Store.LatestMember(ctx, member.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return Login{}, err
		}
		login, err = s.verifyAndLogIn(ctx, client, member, attempt, password)
	}
	if errors.Is(err, ErrPasswordChanged) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		// The member was changed, deactivated or deleted a moment ago; this login fails as one that comes a moment later.
		return Login{}, s.fail(ctx, attempt, s.failed(ctx, client, authn.Principal{}, audit.Login, attempt.MemberID), errCredentials)
	}
	return login, err
}

func (s *Service) verifyAndLogIn(ctx context.Context, client Client, member Member, attempt Attempt, password string) (Login, error) {
	ok, outdated, err := s.deps.Passwords.Verify(ctx, client.household(), member.PasswordHash, password)
	if err != nil {
		return Login{}, err
	}
	if !ok || !member.Active {
		return Login{}, s.fail(ctx, attempt, s.failed(ctx, client, authn.Principal{}, audit.Login, attempt.MemberID), errCredentials)
	}
	record := LoginRecord{Attempt: attempt, Judge: func(standing Standing) error { return s.judge(attempt, standing) }}
	if outdated {
		if record.Rehashed, err = s.deps.Passwords.Hash(ctx, client.household(), password); err != nil {
			return Login{}, err
		}
	}
	return s.logIn(ctx, client, member, record)
}

func (s *Service) logIn(ctx context.Context, client Client, member Member, record LoginRecord) (Login, error) {
	session, token, kept, err := s.open(client, cmp.Or(record.Rehashed, member.PasswordHash))
	if err != nil {
		return Login{}, err
	}
	principal := authn.Principal{MemberID: member.ID, Admin: member.Admin, Address: client.Address}
	record.Refresh, record.Event = kept, s.event(ctx, audit.Login, principal, member.ID, "")
	// The member comes back as it is under its lock: the token must not bear a right that was taken away since it was read.
	member, session, err = s.deps.Store.CreateSession(ctx, member, session, record)
	if err != nil {
		return Login{}, err
	}
	consistency.Concern(ctx, member.ID)
	grant, err := s.grant(member, session, session.CreatedAt, token, kept)
	if err != nil {
		return Login{}, err
	}
	principal.SessionID, principal.Admin = session.ID, member.Admin
	return Login{View: s.view(ctx, principal, member), Grant: grant}, nil
}

// LogOut ends the caller's session; its other sessions live on. A session that has ended already gives no revocation.
func (s *Service) LogOut(ctx context.Context, caller authn.Principal) ([]Revocation, error) {
	event := s.event(ctx, audit.Logout, caller, caller.MemberID, audit.AboutSession(caller.SessionID))
	revocations, err := s.deps.Store.RevokeSession(ctx, caller.MemberID, caller.SessionID, s.ending(event))
	return s.published(ctx, revocations, err)
}

// LogOutAll ends all sessions of the caller that there are now.
func (s *Service) LogOutAll(ctx context.Context, caller authn.Principal) ([]Revocation, error) {
	event := s.event(ctx, audit.LogoutAll, caller, caller.MemberID, "")
	revocations, err := s.deps.Store.RevokeSessions(ctx, caller.MemberID, s.ending(event))
	return s.published(ctx, revocations, err)
}

// Delete removes a member and ends its sessions. Its orders stay with the orders service. ifMatch refuses a member that is
// not in the version that the caller saw; nil allows any.
func (s *Service) Delete(ctx context.Context, caller authn.Principal, id uint64, ifMatch Precondition) ([]Revocation, error) {
	if err := s.MayChange(ctx, caller, id); err != nil {
		return nil, err
	}
	revocations, err := s.deps.Store.DeleteMember(ctx, id, func(member Member) error { return allow(ifMatch, member) },
		s.ending(s.event(ctx, audit.MemberDelete, caller, id, "")))
	consistency.Concern(ctx, id)
	return s.published(ctx, revocations, err)
}

// Revoked lists the revocations that matter now, behind the given sequence number, and the number up to which the list is
// complete.
func (s *Service) Revoked(ctx context.Context, after uint64, most int) (revocations []Revocation, latest uint64, err error) {
	return s.deps.Store.Revocations(ctx, after, s.now(), most)
}

func (s *Service) published(ctx context.Context, revocations []Revocation, err error) ([]Revocation, error) {
	if err != nil {
		return nil, err
	}
	s.publish(ctx, revocations)
	return revocations, nil
}

// publish tells the gateways right after the commit.
func (s *Service) publish(ctx context.Context, revocations []Revocation) {
	if len(revocations) > 0 {
		s.deps.Revocations.Publish(ctx, revocations)
	}
}
