package account

import (
	"context"

	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// guard checks the passwords that come with a change of a member. Whoever has a member's token could try passwords there
// as well as at the login, so wrong ones are counted in the same place. What an admin sends for another member proves
// nothing and is not counted.
type guard struct {
	service *Service
	caller  authn.Principal
	member  Member
	attempt Attempt
	// admitted says that the standing has been looked at, missed that a password was wrong.
	admitted, missed bool
}

func (s *Service) newGuard(caller authn.Principal, member Member, userAgent string) *guard {
	return &guard{
		service: s, caller: caller, member: member,
		attempt: newAttempt(NewClient(caller, userAgent), member.Email, member.ID),
	}
}

// verify reports whether a password is the member's. The standing is judged again after a right one: of guesses at the same
// moment, those that come too early must not tell that they were right, even where nothing changes.
func (g *guard) verify(ctx context.Context, password string) (bool, error) {
	if g.caller.MemberID == g.member.ID && !g.admitted {
		if err := g.service.admit(ctx, g.attempt); err != nil {
			return false, err
		}
		g.admitted = true
	}
	ok, _, err := g.service.deps.Passwords.Verify(ctx, g.member.PasswordHash, password)
	g.missed = g.missed || !ok
	if ok && err == nil && g.caller.MemberID == g.member.ID {
		err = g.service.admit(ctx, g.attempt)
	}
	return ok && err == nil, err
}

// demand refuses a caller that does not prove the member's password. The answer to a wrong new password tells that it is
// not the present one, so that is a guess too unless the proof follows.
func (g *guard) demand(ctx context.Context, current *string) error {
	answer := fault.InvalidField("current_password", "This field is required.")
	if current != nil {
		ok, err := g.verify(ctx, *current)
		if err != nil || ok {
			return err
		}
		answer = fault.InvalidField("current_password", "The password is not correct.")
	}
	if !g.missed {
		return answer
	}
	return g.service.fail(ctx, g.attempt, g.caller, audit.PasswordCheck, answer)
}
