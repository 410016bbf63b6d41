package account

import (
	"context"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// passwordCheck checks the passwords that come with a change of a member. Somebody with a stolen token could guess passwords
// there as well as at the login, so wrong ones count as failed logins. Passwords that an admin sends for another member prove
// nothing and do not count.
type passwordCheck struct {
	service *Service
	caller  authn.Principal
	member  Member
	attempt Attempt
	// admitted says that the standing has been looked at, missed that a password was wrong.
	admitted, missed bool
}

func (s *Service) newPasswordCheck(caller authn.Principal, member Member, userAgent string) *passwordCheck {
	return &passwordCheck{
		service: s, caller: caller, member: member,
		attempt: newPasswordAttempt(NewClient(caller, userAgent), member.Email, member.ID),
	}
}

// verify reports whether a password is the member's. After a right one the standing is judged again: many guesses may have
// been admitted at the same moment, and those that came too early must not learn that they were right.
func (c *passwordCheck) verify(ctx context.Context, password string) (bool, error) {
	event := c.service.failed(ctx, c.attempt.client, c.caller, audit.PasswordCheck, c.member.ID)
	if c.caller.MemberID == c.member.ID && !c.admitted {
		if err := c.service.admit(ctx, c.attempt, event); err != nil {
			return false, err
		}
		c.admitted = true
	}
	ok, _, err := c.service.deps.Passwords.Verify(ctx, c.attempt.client.household(), c.member.PasswordHash, password)
	c.missed = c.missed || !ok
	if ok && err == nil && c.caller.MemberID == c.member.ID {
		err = c.service.admit(ctx, c.attempt, event)
	}
	return ok && err == nil, err
}

// demand refuses a caller that does not prove the member's password. A new password was compared with the present one before,
// and the answer tells that they differ. So that was a guess, unless the proof follows. A client that knows the field email alone,
// as one of drf-oms does, finds the reason there as well.
func (c *passwordCheck) demand(ctx context.Context, current *string, newEmail bool) error {
	answer := fault.InvalidField("current_password", "This field is required.")
	if newEmail {
		answer.Fields["email"] = []string{"A new email needs the current password."}
	}
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
	return c.service.fail(ctx, c.attempt, c.service.failed(ctx, c.attempt.client, c.caller, audit.PasswordCheck, c.member.ID), answer)
}
