package account

import (
	"context"

	"oms.internal/libs/audit"
	"oms.internal/libs/fault"
)

// ErrEmailTaken is the fault for an email that another member has. It tells who is a member, so whoever hears it is counted
// (refuseTaken), and after too many nobody's email is looked up: then a taken email and a free one have the same answer.
var ErrEmailTaken = fault.InvalidField("email", "user with this email already exists.")

// askFree returns nil where no other member than id has the email, unless the question comes too early.
func (s *Service) askFree(ctx context.Context, attempt Attempt, id uint64, email string, event audit.Event) error {
	if err := s.admit(ctx, attempt, event); err != nil {
		return err
	}
	return s.checkEmailFree(ctx, id, email)
}

// checkEmailFree says early that an email is taken; the store's unique key says it for certain.
func (s *Service) checkEmailFree(ctx context.Context, id uint64, email string) error {
	holder, err := s.deps.Store.MemberByEmail(ctx, email)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil && holder.ID != id:
		return ErrEmailTaken
	}
	return err
}

// refuseTaken counts that somebody heard of a taken email, and returns ErrEmailTaken. The email's member waits for nothing.
func (s *Service) refuseTaken(ctx context.Context, attempt Attempt, event audit.Event) error {
	return s.fail(ctx, attempt, event, ErrEmailTaken)
}
