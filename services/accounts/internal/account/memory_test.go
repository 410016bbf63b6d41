package account_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// memory is account.Store as far as the domain's rules need it; the real one is tested in the package store.
type memory struct {
	account.Store

	members      map[uint64]account.Member
	query        account.Query // the last one
	latest       int           // how often a member was read from the primary
	beforeUpdate func()        // what others do between a check and its write
	sessions     []account.Session
	records      []account.LoginRecord
	gone         error // what a login hears that others were faster than
	rehashed     string
	events       []audit.Event
	standing     account.Standing
	attempt      account.LoginAttempt // the last that failed
	failed       [][]account.Failed
	revoked      []string
	matches      [][]uint64
	kept         map[string]keptAnswer
	expired      chan int // how many sessions each batch of a clean-up finds, -1 for a failure
}

var errBroken = errors.New("broken")

// keptAnswer is what is kept under a key.
type keptAnswer struct {
	fingerprint account.Digest
	sealed      []byte
}

func (m *memory) LatestMember(ctx context.Context, id uint64) (account.Member, error) {
	m.latest++
	return m.Member(ctx, id)
}

func (m *memory) Member(_ context.Context, id uint64) (account.Member, error) {
	member, found := m.members[id]
	if !found {
		return account.Member{}, fault.NewNotFound()
	}
	return member, nil
}

func (m *memory) MemberByEmail(_ context.Context, email string) (account.Member, error) {
	holder, found := account.Holder(email, slices.Collect(maps.Values(m.members)))
	if !found {
		return account.Member{}, fault.NewNotFound()
	}
	return holder, nil
}

func (m *memory) Members(_ context.Context, query account.Query) (listing.Rows[account.Member], error) {
	m.query = query
	page := listing.Rows[account.Member]{Count: 1000}
	for _, id := range slices.Sorted(maps.Keys(m.members)) {
		page.Values = append(page.Values, m.members[id])
	}
	return page, nil
}

func (m *memory) Kept(_ context.Context, request account.IdempotentRequest) ([]byte, error) {
	kept, found := m.kept[request.Key]
	if found && kept.fingerprint != request.Fingerprint {
		return nil, fault.New(fault.KeyReused, "", nil)
	}
	return kept.sealed, nil
}

func (m *memory) CreateMember(ctx context.Context, member account.Member, session account.Session, record account.LoginRecord, request account.IdempotentRequest) ([]byte, error) {
	if m.beforeUpdate != nil {
		m.beforeUpdate()
	}
	if kept, err := m.Kept(ctx, request); kept != nil || err != nil {
		return kept, err
	}
	if _, err := m.MemberByEmail(ctx, member.Email); err == nil {
		return nil, account.ErrEmailTaken
	}
	member.ID, member.Version = 77, 1
	session.ID, session.MemberID = 777, member.ID
	sealed, err := request.Answer(member, session)
	if err != nil {
		return nil, err
	}
	if request.Key != "" {
		m.kept[request.Key] = keptAnswer{request.Fingerprint, sealed}
	}
	m.members[member.ID] = member
	m.sessions, m.records = append(m.sessions, session), append(m.records, record)
	return nil, nil
}

func (m *memory) CreateAdmin(_ context.Context, member account.Member, _ account.Ending) (bool, []account.Revocation, error) {
	m.members[99] = member
	return true, nil, nil
}

func (m *memory) UpdateMember(_ context.Context, id uint64, change func(*account.Member) (account.Consequences, error)) (account.Member, []account.Revocation, error) {
	if m.beforeUpdate != nil {
		m.beforeUpdate()
	}
	member, found := m.members[id]
	if !found {
		return account.Member{}, nil, fault.NewNotFound()
	}
	follows, err := change(&member)
	if err != nil {
		return account.Member{}, nil, err
	}
	m.members[id] = member
	m.events = append(m.events, follows.Events...)
	if !follows.EndsSessions {
		return member, nil, nil
	}
	return member, []account.Revocation{{MemberID: id, ThroughSession: 500, ExceptSession: follows.Except, Until: follows.Until}}, nil
}

func (m *memory) DeleteMember(_ context.Context, id uint64, allow func(account.Member) error, ending account.Ending) ([]account.Revocation, error) {
	member, found := m.members[id]
	if !found {
		return nil, fault.NewNotFound()
	}
	if err := allow(member); err != nil {
		return nil, err
	}
	delete(m.members, id)
	m.events = append(m.events, ending.Events...)
	m.revoked = append(m.revoked, fmt.Sprintf("member %d at %s", id, ending.At.Format(time.TimeOnly)))
	return []account.Revocation{{MemberID: id, ThroughSession: math.MaxInt64, Until: ending.Until}}, nil
}

func (m *memory) CreateSession(_ context.Context, member account.Member, session account.Session, record account.LoginRecord) (account.Member, account.Session, error) {
	if m.gone != nil {
		return account.Member{}, account.Session{}, m.gone
	}
	member = m.members[member.ID]
	session.ID, session.MemberID = 888, member.ID
	m.sessions, m.records = append(m.sessions, session), append(m.records, record)
	m.rehashed = record.Rehashed
	return member, session, nil
}

func (m *memory) RevokeSession(_ context.Context, memberID, sessionID uint64, ending account.Ending) ([]account.Revocation, error) {
	m.events = append(m.events, ending.Events...)
	m.revoked = append(m.revoked, fmt.Sprintf("session %d of %d at %s", sessionID, memberID, ending.At.Format(time.TimeOnly)))
	return []account.Revocation{{SessionID: sessionID, Until: ending.Until}}, nil
}

func (m *memory) RevokeSessions(_ context.Context, memberID uint64, ending account.Ending) ([]account.Revocation, error) {
	m.events = append(m.events, ending.Events...)
	m.revoked = append(m.revoked, fmt.Sprintf("sessions of %d at %s", memberID, ending.At.Format(time.TimeOnly)))
	return []account.Revocation{{MemberID: memberID, ThroughSession: 500, Until: ending.Until}}, nil
}

func (m *memory) Revocations(_ context.Context, after uint64, now time.Time, most int) ([]account.Revocation, uint64, error) {
	return []account.Revocation{{Sequence: after + 1, SessionID: uint64(most), Until: now.Add(time.Minute)}}, after + 3, nil
}

func (m *memory) Standing(context.Context, account.LoginAttempt) (account.Standing, error) {
	return m.standing, nil
}

func (m *memory) RecordFailure(_ context.Context, attempt account.LoginAttempt, _ time.Time, judge func(account.Standing) ([]account.Failed, error), event audit.Event) error {
	failed, err := judge(m.standing)
	if err != nil {
		return err
	}
	m.failed, m.events = append(m.failed, failed), append(m.events, event)
	m.attempt = attempt
	return nil
}

func (m *memory) MatchingMembers(_ context.Context, _ []string, _ uint64, most int) ([][]uint64, error) {
	var matches [][]uint64
	for _, ids := range m.matches {
		matches = append(matches, ids[:min(most, len(ids))])
	}
	return matches, nil
}

func (m *memory) DeleteExpiredSessions(context.Context, time.Time, int) (int, error) {
	select {
	case found := <-m.expired:
		if found < 0 {
			return 0, errBroken
		}
		return found, nil
	default:
		return 0, nil
	}
}

func (m *memory) DeleteExpiredRefreshTokens(context.Context, time.Time, int) (int, error) {
	return 0, errBroken
}

func (m *memory) DeleteExpiredRevocations(context.Context, time.Time, int) (int, error) {
	return 0, nil
}

func (m *memory) DeleteLoginFailures(context.Context, time.Time, int) (int, error) { return 0, nil }

func (m *memory) DeleteKnownDevices(context.Context, time.Time, int) (int, error) { return 0, nil }
