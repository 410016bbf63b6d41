package account

import (
	"context"
	"errors"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

// Change is what a caller wants to change of a member; nil leaves a field as it is. The transport has checked the
// fields.
type Change struct {
	Email    *string
	Name     *string
	Nickname *string
	Phone    *string
	Gender   *string
	Password *string
	// CurrentPassword proves that the caller, who holds a token, is the member: needed for a new email or password.
	CurrentPassword *string
	// Active and Admin are for admins; from others they are not read.
	Active *bool
	Admin  *bool
	// IfMatch refuses a member that is not in the version that the caller saw; nil allows any.
	IfMatch Precondition
	// UserAgent is what the caller asks with. Together with its address it tells a known device, where guesses of the
	// present password are counted.
	UserAgent string
}

// Precondition says which versions of a member a change is meant for.
type Precondition interface{ Allows(version uint64) bool }

// errChanged says that the member is not as the caller saw it.
var errChanged = fault.New(fault.PreconditionFailed, "The member is not in the version that the request asks for.", nil)

func allow(precondition Precondition, member Member) error {
	if precondition != nil && !precondition.Allows(member.Version) {
		return errChanged
	}
	return nil
}

// errRace says that the member changed between the check of its password and the write.
var errRace = fault.NewUnavailable(nil)

// Update changes a member and returns it as the caller sees it, and what it revoked. Fields that are left out keep what
// others wrote to them meanwhile. A new password ends all sessions but the caller's; a member that is deactivated, or
// loses the admin right that its tokens bear, has no session afterwards.
func (s *Service) Update(ctx context.Context, caller authn.Principal, id uint64, change Change) (View, []Revocation, error) {
	caller, err := s.authorize(ctx, caller, id)
	if err != nil {
		return View{}, nil, err
	}
	if !caller.Admin {
		change.Active, change.Admin = nil, nil
	}
	newHash, seenHash, err := s.checkCredentials(ctx, caller, id, change)
	if err != nil {
		return View{}, nil, s.answerTaken(ctx, caller, id, change, err)
	}
	count := func(error) {} // of the last run of the transaction
	member, revocations, err := s.deps.Store.UpdateMember(ctx, id, func(member *Member) (Consequences, error) {
		before := *member
		if err := allow(change.IfMatch, before); err != nil {
			return Consequences{}, err
		}
		if seenHash != "" && member.PasswordHash != seenHash {
			return Consequences{}, errRace
		}
		set(&member.Email, change.Email)
		set(&member.Name, change.Name)
		set(&member.Nickname, change.Nickname)
		set(&member.Phone, change.Phone)
		set(&member.Gender, change.Gender)
		set(&member.PasswordHash, newHash)
		set(&member.Active, change.Active)
		set(&member.Admin, change.Admin)
		result := s.consequences(ctx, caller, before, *member)
		result.Events, count = s.countOwnUpdate(result.Events)
		return result, nil
	})
	consistency.Concern(ctx, id)
	count(err)
	if err != nil {
		return View{}, nil, s.answerTaken(ctx, caller, id, change, err)
	}
	s.publish(ctx, revocations)
	return s.view(ctx, caller, member), revocations, nil
}

// answerTaken counts that a member hears of a taken email. An admin sees all emails anyway.
func (s *Service) answerTaken(ctx context.Context, caller authn.Principal, id uint64, change Change, err error) error {
	if !errors.Is(err, ErrEmailTaken) || caller.MemberID != id {
		return err
	}
	client := NewClient(caller, change.UserAgent)
	event := s.failed(ctx, client, caller, audit.MemberUpdate, id)
	event.Detail = "email taken"
	return s.refuseTaken(ctx, newTakenAttempt(client, *change.Email, id), event)
}

func set[Value any](field, value *Value) {
	if value != nil {
		*field = *value
	}
}

// checkCredentials demands the current password where the caller changes its own email or password; repeating the
// present ones, as a PUT must, is no change. Whether somebody else has the new email is asked last: before, and where the change is
// meant for another version, a taken email and a free one have the same answer. Hashing takes tens of milliseconds, so it
// happens outside the transaction; seenHash is what it relied on ("" for nothing), newHash the hash of a new password (nil
// for none).
func (s *Service) checkCredentials(ctx context.Context, caller authn.Principal, id uint64, change Change) (newHash *string, seenHash string, err error) {
	if change.Email == nil && change.Password == nil {
		return nil, "", nil
	}
	member, err := s.deps.Store.LatestMember(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if err := allow(change.IfMatch, member); err != nil {
		return nil, "", err
	}
	check := s.newPasswordCheck(caller, member, change.UserAgent)
	newPassword := false
	if change.Password != nil {
		same, err := check.verify(ctx, *change.Password)
		if err != nil {
			return nil, "", err
		}
		newPassword = !same
	}
	newEmail := change.Email != nil && *change.Email != member.Email
	if !newEmail && !newPassword {
		return nil, "", nil
	}
	if caller.MemberID == id {
		if err := check.demand(ctx, change.CurrentPassword, newEmail); err != nil {
			return nil, "", err
		}
	}
	if newEmail {
		if err := s.askForChange(ctx, caller, id, change); err != nil {
			return nil, "", err
		}
	}
	if !newPassword {
		return nil, member.PasswordHash, nil
	}
	hash, err := s.deps.Passwords.Hash(ctx, check.attempt.client.household(), *change.Password)
	return &hash, member.PasswordHash, err
}

// askForChange returns nil where nobody else has the email that a member is to get.
func (s *Service) askForChange(ctx context.Context, caller authn.Principal, id uint64, change Change) error {
	if caller.MemberID != id {
		return s.checkEmailFree(ctx, id, *change.Email)
	}
	client := NewClient(caller, change.UserAgent)
	return s.askFree(ctx, newTakenAttempt(client, *change.Email, id), id, *change.Email, s.failed(ctx, client, caller, audit.MemberUpdate, id))
}
