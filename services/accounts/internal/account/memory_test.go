package account_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

// memory is account.Store as far as the domain's rules need it; the real one is tested in the package store.
type memory struct {
	account.Store

	members      map[uint64]account.Member
	freshness    account.Freshness // of the last read
	query        account.Query     // the last one
	beforeUpdate func()            // what others do between a check and its write
	sessions     []account.Session
	rehashed     string
	revoked      []string
	matches      [][]uint64
	expired      chan int // how many sessions each batch of a clean-up finds, -1 for a failure
}

var errBroken = errors.New("broken")

func (m *memory) Member(_ context.Context, id uint64) (account.Member, error) {
	member, found := m.members[id]
	if !found {
		return account.Member{}, fault.NewNotFound()
	}
	return member, nil
}

func (m *memory) MemberByEmail(_ context.Context, email string) (account.Member, error) {
	for _, member := range m.members {
		if strings.EqualFold(member.Email, email) {
			return member, nil
		}
	}
	return account.Member{}, fault.NewNotFound()
}

func (m *memory) Members(_ context.Context, query account.Query, freshness account.Freshness) ([]account.Member, int, error) {
	m.query, m.freshness = query, freshness
	var page []account.Member
	for _, id := range slices.Sorted(maps.Keys(m.members)) {
		page = append(page, m.members[id])
	}
	return page, 1000, nil
}

func (m *memory) CreateMember(_ context.Context, member account.Member, session account.Session) (account.Member, account.Session, error) {
	if taken, err := m.MemberByEmail(context.Background(), member.Email); err == nil {
		return taken, session, account.ErrEmailTaken
	}
	member.ID = 77
	m.members[member.ID] = member
	session.ID, session.MemberID = 777, member.ID
	m.sessions = append(m.sessions, session)
	return member, session, nil
}

func (m *memory) CreateAdmin(_ context.Context, member account.Member) (bool, error) {
	m.members[99] = member
	return true, nil
}

func (m *memory) UpdateMember(_ context.Context, id uint64, change func(*account.Member) error) (account.Member, error) {
	if m.beforeUpdate != nil {
		m.beforeUpdate()
	}
	member, found := m.members[id]
	if !found {
		return account.Member{}, fault.NewNotFound()
	}
	if err := change(&member); err != nil {
		return account.Member{}, err
	}
	m.members[id] = member
	return member, nil
}

func (m *memory) DeleteMember(_ context.Context, id uint64, now time.Time) error {
	if _, found := m.members[id]; !found {
		return fault.NewNotFound()
	}
	delete(m.members, id)
	m.revoked = append(m.revoked, fmt.Sprintf("member %d at %s", id, now.Format(time.TimeOnly)))
	return nil
}

func (m *memory) CreateSession(_ context.Context, member account.Member, session account.Session, rehashed string) (account.Session, error) {
	session.ID, session.MemberID = 888, member.ID
	m.sessions = append(m.sessions, session)
	m.rehashed = rehashed
	return session, nil
}

func (m *memory) RevokeSession(_ context.Context, memberID, sessionID uint64, now time.Time) error {
	m.revoked = append(m.revoked, fmt.Sprintf("session %d of %d at %s", sessionID, memberID, now.Format(time.TimeOnly)))
	return nil
}

func (m *memory) RevokeSessions(_ context.Context, memberID uint64, now time.Time) (uint64, error) {
	m.revoked = append(m.revoked, fmt.Sprintf("sessions of %d at %s", memberID, now.Format(time.TimeOnly)))
	return 500, nil
}

func (m *memory) RevokedSessions(_ context.Context, after uint64, now time.Time, most int) ([]account.Session, error) {
	sessions := []account.Session{{ID: after + 1, ExpiresAt: now.Add(time.Minute)}, {ID: after + 2, ExpiresAt: now.Add(time.Hour)}}
	return sessions[:min(most, len(sessions))], nil
}

func (m *memory) MatchingMembers(_ context.Context, _ []string, _ uint64, most int, freshness account.Freshness) ([][]uint64, error) {
	m.freshness = freshness
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
