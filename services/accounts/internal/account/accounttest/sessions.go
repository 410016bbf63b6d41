package accounttest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// CreateSession stores a session of a member that still is as it was when its password was verified.
func (s *Store) CreateSession(
	_ context.Context, verified account.Member, session account.Session, record account.LoginRecord,
) (account.Member, account.Session, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	member, err := found(s.members, verified.ID)
	switch {
	case err != nil:
		return member, session, err
	case !member.Active:
		return member, session, fault.NewForbidden()
	case member.PasswordHash != verified.PasswordHash:
		return member, session, account.ErrPasswordChanged
	}
	if err := record.Judge(s.standing(record.Attempt)); err != nil {
		return member, session, err
	}
	if record.Rehashed != "" {
		member.PasswordHash = record.Rehashed
		member.Version++
		s.members[member.ID] = member
	}
	for _, own := range record.Attempt.Own() {
		delete(s.counters, own)
	}
	session.ID, session.MemberID = s.nextID(), member.ID
	s.open(session, record)
	return member, session, nil
}

// Session returns one session.
func (s *Store) Session(_ context.Context, id uint64) (account.Session, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return found(s.sessions, id)
}

// ImportKnoxToken stores a token of drf-oms with its session, which expires with it.
func (s *Store) ImportKnoxToken(digest account.KnoxDigest, memberID uint64, expires time.Time) (sessionID uint64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	sessionID = s.nextID()
	s.sessions[sessionID] = account.Session{ID: sessionID, MemberID: memberID, ExpiresAt: expires, TokenExpiresAt: expires}
	s.knox[digest] = sessionID
	return sessionID
}

// SessionOfKnoxToken returns the session and the member of a token of drf-oms.
func (s *Store) SessionOfKnoxToken(_ context.Context, digest account.KnoxDigest) (account.Session, account.Member, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	id, err := found(s.knox, digest)
	if err != nil {
		return account.Session{}, account.Member{}, err
	}
	member, err := found(s.members, s.sessions[id].MemberID)
	return s.sessions[id], member, err
}

// Sessions returns one page of the live sessions of the member that the request names.
func (s *Store) Sessions(_ context.Context, now time.Time, request listing.Request) (listing.Rows[account.Session], error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	live := map[uint64]account.Session{}
	for id, session := range s.sessions {
		if session.MemberID == request.Value("member") && session.Live(now) {
			live[id] = session
		}
	}
	return pageOf(live, request, func(a, b account.Session) int { return cmp.Compare(b.ID, a.ID) })
}

// RevokeSession ends one session.
func (s *Store) RevokeSession(_ context.Context, memberID, sessionID uint64, ending account.Ending) ([]account.Revocation, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.end(ending, account.Revocation{SessionID: sessionID}, func(session account.Session) bool {
		return session.ID == sessionID && session.MemberID == memberID
	}), nil
}

// RevokeSessions ends all sessions of a member.
func (s *Store) RevokeSessions(_ context.Context, memberID uint64, ending account.Ending) ([]account.Revocation, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.end(ending, account.Revocation{MemberID: memberID}, func(session account.Session) bool { return session.MemberID == memberID }), nil
}

// Revocations lists revocations behind a number.
func (s *Store) Revocations(_ context.Context, after uint64, now time.Time, most int) ([]account.Revocation, uint64, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	latest := uint64(len(s.revocations))
	var valid []account.Revocation
	for _, revocation := range s.revocations[min(after, latest):] {
		if revocation.Until.After(now) && len(valid) < most {
			valid = append(valid, revocation)
		}
	}
	return valid, latest, nil
}

// RedeemRefreshToken lets decide judge a refresh token.
func (s *Store) RedeemRefreshToken(
	_ context.Context, hash account.Digest, successor func(account.RefreshToken) account.Digest,
	decide func(account.Presented) account.Verdict,
) ([]account.Revocation, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	token, err := found(s.tokens, hash)
	if err != nil {
		return nil, err
	}
	session := s.sessions[token.SessionID]
	member, err := found(s.members, session.MemberID)
	if err != nil {
		return nil, err
	}
	presented := account.Presented{Member: member, Session: session, Token: token}
	if next, err := found(s.tokens, successor(token)); err == nil {
		presented.Successor = &next
	}
	verdict := decide(presented)
	if verdict.End != nil {
		return s.end(*verdict.End, account.Revocation{SessionID: session.ID}, func(one account.Session) bool { return one.ID == session.ID }), nil
	}
	if verdict.Next == nil {
		return nil, nil
	}
	s.writes++
	if presented.Successor == nil {
		token.UsedAt, token.UsedBy = verdict.At, verdict.By
		s.tokens[hash], s.tokens[verdict.Next.Hash] = token, *verdict.Next
	}
	if verdict.Repeat != nil {
		token.UsedBy = account.Digest{}
		s.tokens[hash] = token
		s.record(*verdict.Repeat)
	}
	session.TokenExpiresAt, session.ExpiresAt = verdict.TokenExpiresAt, verdict.Next.ExpiresAt
	s.sessions[session.ID] = session
	return nil, nil
}

// ForgetPasswordsOfRefreshTokens makes all refresh tokens such as processes of an earlier release issued.
func (s *Store) ForgetPasswordsOfRefreshTokens() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for hash, token := range s.tokens {
		token.IssuedUnder = account.Digest{}
		s.tokens[hash] = token
	}
}

func (s *Store) standing(attempt account.Attempt) account.Standing {
	return account.Standing{Counters: maps.Clone(s.counters), Known: s.devices[attempt.Device]}
}

// Standing returns how many failures there are.
func (s *Store) Standing(_ context.Context, attempt account.Attempt) (account.Standing, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.standing(attempt), nil
}

// RecordFailure counts a failure.
func (s *Store) RecordFailure(
	_ context.Context, attempt account.Attempt, judge func(account.Standing) ([]account.Counted, error), event audit.Event,
) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	failures, err := judge(s.standing(attempt))
	if err != nil {
		return err
	}
	for _, counted := range failures {
		s.counters[counted.Subject] = counted.Counter
	}
	s.record(event)
	return nil
}

// AuditEvents returns one page of events, newest first.
func (s *Store) AuditEvents(_ context.Context, request listing.Request) (listing.Rows[audit.Event], error) {
	matching := map[uint64]audit.Event{}
	for _, event := range s.Events() {
		if !slices.ContainsFunc(request.Matches, func(match listing.Match) bool { return !matches(event, match) }) {
			matching[event.ID] = event
		}
	}
	return pageOf(matching, request, func(a, b audit.Event) int { return cmp.Compare(b.ID, a.ID) })
}

func matches(event audit.Event, match listing.Match) bool {
	switch value := match.Values[0]; match.Field {
	case "action":
		return string(event.Action) == value
	case "outcome":
		return string(event.Outcome) == value
	case "actor":
		return event.Actor == value
	case "subject":
		return event.Subject == value
	default:
		at, _ := value.(time.Time)
		return event.At.Before(at) == (match.Op == listing.Below)
	}
}

// RecordEvents stores events.
func (s *Store) RecordEvents(_ context.Context, events []audit.Event) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.record(events...)
	return nil
}

// Failures returns how many failures are counted in all.
func (s *Store) Failures() (sum int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, counter := range s.counters {
		sum += counter.Failures
	}
	return sum
}

// ForgetFailures lets all counters start anew.
func (s *Store) ForgetFailures() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	clear(s.counters)
}

// CountSessions returns how many sessions there are, live or not.
func (s *Store) CountSessions() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.sessions)
}
