package account

import (
	"context"
	"errors"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

// NewMember is the input of a sign-up; the transport has checked its fields.
type NewMember struct {
	Email    string
	Name     string
	Nickname string
	Phone    string
	Gender   string
	Password string
}

// IdempotentRequest is a sign-up that has one effect, however often it is sent.
type IdempotentRequest struct {
	Key         string // the client's, "" for a request that may be done again
	Fingerprint Digest // of the request
	At          time.Time
	// Answer is told what was stored, within the transaction, and returns what is kept of it. It may run more than once.
	Answer func(Member, Session) ([]byte, error)
}

// SignedUp is a sign-up that was done: the answer to it, and the session in which its tokens are valid. The member bears its
// password hash of that moment.
type SignedUp struct {
	Login
	SessionID uint64
}

// errOver is the answer to a sign-up that is sent again after its answer has lost its worth.
var errOver = fault.New(fault.Conflict, "This sign-up was done, and its session is over. Please log in.", nil)

// SignUp creates a member and its first session. With a key that was used for the same request before, it answers as it
// did then, and replayed is true.
func (s *Service) SignUp(ctx context.Context, client Client, input NewMember, key string) (login Login, replayed bool, err error) {
	request := IdempotentRequest{Key: key, At: s.now()}
	if key != "" {
		request.Fingerprint = s.deps.Vault.Fingerprint("sign-up", key, input.Email, input.Name, input.Nickname, input.Phone, input.Gender,
			NormalPassword(input.Password))
		// Asked first because hashing a password takes a hundred times as long.
		kept, err := s.deps.Store.Kept(ctx, request)
		if kept != nil || err != nil {
			return s.repeat(ctx, client, input, request, kept, err)
		}
		done, err := s.inProgress.begin(request.Fingerprint)
		if err != nil {
			return Login{}, false, err
		}
		defer done()
	}
	login, kept, err := s.signUp(ctx, client, input, request)
	if kept != nil || err != nil {
		return s.repeat(ctx, client, input, request, kept, err)
	}
	consistency.Concern(ctx, login.View.Member.ID)
	return login, false, nil
}

func (s *Service) signUp(ctx context.Context, client Client, input NewMember, request IdempotentRequest) (login Login, kept []byte, err error) {
	attempt := newTakenAttempt(client, input.Email, 0)
	// Asked first because of the hash.
	early := s.failed(ctx, client, authn.Principal{}, audit.SignUp, 0)
	if err := s.askFree(ctx, attempt, 0, input.Email, early); err != nil {
		return s.refuseSignUp(ctx, client, attempt, request, err)
	}
	hash, err := s.deps.Passwords.Hash(ctx, client.household(), input.Password)
	if err != nil {
		return Login{}, nil, err
	}
	// Of many questions at the same moment only the first ones may be answered, whatever the answer.
	if err := s.admit(ctx, attempt, early); err != nil {
		return Login{}, nil, err
	}
	session, token, refresh, err := s.open(client, hash)
	if err != nil {
		return Login{}, nil, err
	}
	request.Answer = func(member Member, session Session) ([]byte, error) {
		grant, err := s.grant(member, session, session.CreatedAt, token, refresh)
		// A new member has no order; there is no need to ask.
		login = Login{View: View{Member: member}, Grant: grant}
		if err != nil || request.Key == "" {
			return nil, err
		}
		return s.deps.Vault.Seal(request.Fingerprint, SignedUp{login, session.ID})
	}
	kept, err = s.deps.Store.CreateMember(ctx, Member{
		Email: input.Email, Name: input.Name, Nickname: input.Nickname, Phone: input.Phone, Gender: input.Gender,
		PasswordHash: hash, Active: true, CreatedAt: session.CreatedAt,
	}, session, LoginRecord{
		Refresh: refresh, Attempt: newPasswordAttempt(client, input.Email, 0),
		Event: s.event(ctx, audit.SignUp, authn.Principal{Address: client.Address}, 0, ""),
	}, request)
	if err != nil {
		return s.refuseSignUp(ctx, client, attempt, request, err)
	}
	return login, kept, nil
}

// refuseSignUp answers a sign-up that failed. Where this very request took the email before, it is answered as it was then.
func (s *Service) refuseSignUp(ctx context.Context, client Client, attempt Attempt, request IdempotentRequest, err error) (Login, []byte, error) {
	if !errors.Is(err, ErrEmailTaken) {
		return Login{}, nil, err
	}
	if request.Key != "" {
		if kept, err := s.deps.Store.Kept(ctx, request); kept != nil || err != nil {
			return Login{}, kept, err
		}
	}
	return Login{}, nil, s.refuseTaken(ctx, attempt, s.failed(ctx, client, authn.Principal{}, audit.SignUp, 0))
}

// repeat answers a sign-up whose key was used before, or that failed. Somebody who knows a client's key and everything but the
// password could guess it here, since only the right one is answered with tokens. So KeyReused counts as a failed login,
// and waits as a login does.
func (s *Service) repeat(ctx context.Context, client Client, input NewMember, request IdempotentRequest, kept []byte, err error) (Login, bool, error) {
	reused := fault.Is(err, fault.KeyReused)
	if err != nil && !reused {
		return Login{}, false, err
	}
	attempt := newPasswordAttempt(client, input.Email, 0)
	var done SignedUp
	if !reused {
		if done, err = s.deps.Vault.Open(request.Fingerprint, kept); err != nil {
			return Login{}, false, err
		}
		attempt = attempt.Of(done.View.Member.ID)
	}
	failure := s.failed(ctx, client, authn.Principal{}, audit.SignUp, attempt.MemberID)
	if err := s.admit(ctx, attempt, failure); err != nil {
		return Login{}, false, err
	}
	if !reused {
		err = s.checkStillValid(ctx, done)
	}
	if reused || errors.Is(err, errOver) {
		return Login{}, false, s.fail(ctx, attempt, failure, err)
	}
	if err != nil {
		return Login{}, false, err
	}
	consistency.Concern(ctx, done.View.Member.ID)
	s.series.Add(s.event(ctx, audit.SignUpRepeat, authn.Principal{Address: client.Address}, attempt.MemberID, ""))
	return done.Login, true, nil
}

// checkStillValid returns errOver where the tokens of a kept answer must not be given again: its session has ended, or the member
// is gone, is not active, or has another password than the request holds. Otherwise who knows a former password would get a session.
func (s *Service) checkStillValid(ctx context.Context, done SignedUp) error {
	session, err := s.deps.Store.Session(ctx, done.SessionID)
	if err == nil && !session.Live(s.now()) {
		return errOver
	}
	var member Member
	if err == nil {
		member, err = s.deps.Store.LatestMember(ctx, done.View.Member.ID)
	}
	if fault.Is(err, fault.NotFound) || err == nil && (!member.Active || member.PasswordHash != done.View.Member.PasswordHash) {
		return errOver
	}
	return err
}
