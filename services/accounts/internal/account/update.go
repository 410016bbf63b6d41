package account

import (
	"context"

	"oms.internal/libs/authn"
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
}

// ErrEmailTaken is the fault for an email that another member has.
var ErrEmailTaken = fault.InvalidField("email", "user with this email already exists.")

// errRace says that the member changed between the check of its password and the write.
var errRace = fault.NewUnavailable(nil)

// Update changes a member and returns it as the caller sees it. Fields that are left out keep what others wrote to them
// meanwhile.
func (s *Service) Update(ctx context.Context, caller authn.Principal, id uint64, change Change) (View, error) {
	if err := s.MayChange(ctx, caller, id); err != nil {
		return View{}, err
	}
	newHash, seenHash, err := s.checkCredentials(ctx, caller, id, change)
	if err != nil {
		return View{}, err
	}
	member, err := s.Store.UpdateMember(ctx, id, func(member *Member) error {
		if seenHash != "" && member.PasswordHash != seenHash {
			return errRace
		}
		set(&member.Email, change.Email)
		set(&member.Name, change.Name)
		set(&member.Nickname, change.Nickname)
		set(&member.Phone, change.Phone)
		set(&member.Gender, change.Gender)
		set(&member.PasswordHash, newHash)
		return nil
	})
	if err != nil {
		return View{}, err
	}
	s.Recent.Mark(caller.MemberID)
	return s.view(ctx, caller, member), nil
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

// checkCredentials demands the current password where the caller changes its own email or password; repeating the
// present ones, as a PUT must, is no change. Hashing takes tens of milliseconds, so it happens outside the transaction;
// seenHash is what it relied on ("" for nothing), newHash the hash of a new password (nil for none).
func (s *Service) checkCredentials(ctx context.Context, caller authn.Principal, id uint64, change Change) (newHash *string, seenHash string, err error) {
	if change.Email == nil && change.Password == nil {
		return nil, "", nil
	}
	member, err := s.Store.Member(ctx, id)
	if err != nil {
		return nil, "", err
	}
	newPassword := false
	if change.Password != nil {
		same, _, err := s.Passwords.Verify(ctx, member.PasswordHash, *change.Password)
		if err != nil {
			return nil, "", err
		}
		newPassword = !same
	}
	newEmail := change.Email != nil && *change.Email != member.Email
	if !newEmail && !newPassword {
		return nil, "", nil
	}
	if newEmail {
		if err := s.checkEmailFree(ctx, id, *change.Email); err != nil {
			return nil, "", err
		}
	}
	if caller.MemberID == id {
		if err := s.checkCurrentPassword(ctx, member, change.CurrentPassword); err != nil {
			return nil, "", err
		}
	}
	if !newPassword {
		return nil, member.PasswordHash, nil
	}
	hash, err := s.Passwords.Hash(ctx, *change.Password)
	return &hash, member.PasswordHash, err
}

// checkEmailFree says early that an email is taken; the store's unique key says it for certain.
func (s *Service) checkEmailFree(ctx context.Context, id uint64, email string) error {
	holder, err := s.Store.MemberByEmail(ctx, email)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil && holder.ID != id:
		return ErrEmailTaken
	}
	return err
}

func (s *Service) checkCurrentPassword(ctx context.Context, member Member, current *string) error {
	if current == nil {
		return fault.InvalidField("current_password", "This field is required.")
	}
	ok, _, err := s.Passwords.Verify(ctx, member.PasswordHash, *current)
	if err != nil {
		return err
	}
	if !ok {
		return fault.InvalidField("current_password", "The password is not correct.")
	}
	return nil
}

// CreateAdmin creates an admin, or gives an existing member the admin right and the password. It is for operators, not
// for callers over a network.
func (s *Service) CreateAdmin(ctx context.Context, email, password string) (created bool, err error) {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return false, err
	}
	return s.Store.CreateAdmin(ctx, Member{
		Email: email, Name: "Admin", Nickname: "admin", Phone: "0000000",
		PasswordHash: hash, Admin: true, Active: true, CreatedAt: s.now(),
	})
}
