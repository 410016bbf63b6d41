package account

import (
	"context"

	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// passwordCheck checks the passwords that come with a change of a member. Whoever has a member's token could try passwords there
// as well as at the login, so wrong ones are counted in the same place. What an admin sends for another member proves
// nothing and is not counted.
type passwordCheck struct {
	service *Service
	caller  authn.Principal
	member  Member
	attempt LoginAttempt
	// admitted says that the standing has been looked at, missed that a password was wrong.
	admitted, missed bool
}

func (s *Service) newPasswordCheck(caller authn.Principal, member Member, userAgent string) *passwordCheck {
	return &passwordCheck{
		service: s, caller: caller, member: member,
		attempt: newLoginAttempt(NewClient(caller, userAgent), member.Email, member.ID),
	}
}

// verify reports whether a password is the member's. The standing is judged again after a right one: of guesses at the same
// moment, those that come too early must not tell that they were right, even where nothing changes.
func (c *passwordCheck) verify(ctx context.Context, password string) (bool, error) {
	if c.caller.MemberID == c.member.ID && !c.admitted {
		if err := c.service.admit(ctx, c.attempt); err != nil {
			return false, err
		}
		c.admitted = true
	}
	ok, _, err := c.service.deps.Passwords.Verify(ctx, c.member.PasswordHash, password)
	c.missed = c.missed || !ok
	if ok && err == nil && c.caller.MemberID == c.member.ID {
		err = c.service.admit(ctx, c.attempt)
	}
	return ok && err == nil, err
}

// demand refuses a caller that does not prove the member's password. The answer to a wrong new password tells that it is
// not the present one, so that is a guess too unless the proof follows.
func (c *passwordCheck) demand(ctx context.Context, current *string) error {
	answer := fault.InvalidField("current_password", "This field is required.")
	if current != nil {
		ok, err := c.verify(ctx, *current)
		if err != nil || ok {
			return err
		}
		answer = fault.InvalidField("current_password", "The password is not correct.")
	}
	if !c.missed {
		return answer
	}
	return c.service.fail(ctx, c.attempt, c.caller, audit.PasswordCheck, answer)
}
