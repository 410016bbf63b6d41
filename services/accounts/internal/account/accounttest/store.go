// Package accounttest holds fakes of what the domain needs, so that the domain and its HTTP surface are tested without a server.
// Only tests import it. What transactions and servers guarantee is tested with the real store.
package accounttest

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listingtest"
)

// Store is account.Store in memory. Each method is one transaction. Lists ignore search and ordering, which are the real
// store's. It is safe for concurrent use.
type Store struct {
	account.Store // what a test does not need is missing

	mutex       sync.Mutex
	members     map[uint64]account.Member
	sessions    map[uint64]account.Session
	tokens      map[account.Digest]account.RefreshToken
	knox        map[account.KnoxDigest]uint64 // ids of sessions
	counters    map[account.Digest]account.Counter
	devices     map[account.Digest]bool
	kept        map[string]keptAnswer
	revocations []account.Revocation
	events      []audit.Event
	lastID      uint64
	writes      int
}

type keptAnswer struct {
	fingerprint account.Digest
	answer      []byte
}

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{
		members: map[uint64]account.Member{}, sessions: map[uint64]account.Session{}, tokens: map[account.Digest]account.RefreshToken{},
		knox: map[account.KnoxDigest]uint64{}, counters: map[account.Digest]account.Counter{}, devices: map[account.Digest]bool{}, kept: map[string]keptAnswer{},
	}
}

// Writes returns how many transactions have written something that a client can see.
func (s *Store) Writes() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.writes
}

// Events returns what was written down, the oldest first.
func (s *Store) Events() []audit.Event {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.events)
}

// Alter changes a member as an operator does in the database.
func (s *Store) Alter(id uint64, change func(*account.Member)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	member := s.members[id]
	change(&member)
	s.members[id] = member
}

// Remove takes a member out, as if it never was.
func (s *Store) Remove(id uint64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.members, id)
}

func (s *Store) nextID() uint64 { s.lastID++; return s.lastID }

func (s *Store) record(events ...audit.Event) {
	for _, event := range events {
		event.ID = s.nextID()
		s.events = append(s.events, event)
	}
}

// CreateMember stores a member and its first session.
func (s *Store) CreateMember(
	_ context.Context, member account.Member, session account.Session, record account.LoginRecord, request account.IdempotentRequest,
) ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if kept, err := s.find(request); kept != nil || err != nil {
		return kept, err
	}
	if _, found := s.holder(member.Email); found {
		return nil, account.ErrEmailTaken
	}
	member.ID, member.Version, session.ID = s.nextID(), 1, s.nextID()
	session.MemberID = member.ID
	answer, err := request.Answer(member, session)
	if err != nil {
		return nil, err
	}
	record.Attempt = record.Attempt.Of(member.ID)
	record.Event.Actor, record.Event.Subject = member.ID, member.ID
	s.members[member.ID] = member
	s.open(session, record)
	if request.Key != "" {
		s.kept[request.Key] = keptAnswer{request.Fingerprint, answer}
	}
	return nil, nil
}

func (s *Store) open(session account.Session, record account.LoginRecord) {
	s.writes++
	record.Refresh.SessionID = session.ID
	record.Event.Detail = audit.AboutSession(session.ID)
	s.sessions[session.ID], s.tokens[record.Refresh.Hash], s.devices[record.Attempt.Device] = session, record.Refresh, true
	s.record(record.Event)
}

func (s *Store) find(request account.IdempotentRequest) ([]byte, error) {
	kept, found := s.kept[request.Key]
	if found && kept.fingerprint != request.Fingerprint {
		return nil, fault.New(fault.KeyReused, "", nil)
	}
	return kept.answer, nil
}

// CreateAdmin stores a member, or promotes the one that has its email.
func (s *Store) CreateAdmin(_ context.Context, member account.Member, ending account.Ending) (bool, []account.Revocation, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	holder, found := s.holder(member.Email)
	if !found {
		member.ID, member.Version = s.nextID(), 1
		s.members[member.ID] = member
		return true, nil, nil
	}
	holder.Admin, holder.PasswordHash = true, member.PasswordHash
	holder.Version++
	s.members[holder.ID] = holder
	return false, s.end(ending, account.Revocation{MemberID: holder.ID}, func(session account.Session) bool { return session.MemberID == holder.ID }), nil
}

// MatchingMembers returns the members whose name or email holds each term.
func (s *Store) MatchingMembers(_ context.Context, terms []string, among uint64, most int) ([][]uint64, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	matches := make([][]uint64, len(terms))
	for _, id := range slices.Sorted(maps.Keys(s.members)) {
		for i, term := range terms {
			text := s.members[id].Name + " " + s.members[id].Email
			if (among == 0 || among == id) && strings.Contains(text, term) && len(matches[i]) < most {
				matches[i] = append(matches[i], id)
			}
		}
	}
	return matches, nil
}

// Kept returns what was kept of a request.
func (s *Store) Kept(_ context.Context, request account.IdempotentRequest) ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.find(request)
}

// Member returns one member.
func (s *Store) Member(_ context.Context, id uint64) (account.Member, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return found(s.members, id)
}

// LatestMember returns one member.
func (s *Store) LatestMember(ctx context.Context, id uint64) (account.Member, error) {
	return s.Member(ctx, id)
}

func found[Key comparable, Value any](values map[Key]Value, key Key) (Value, error) {
	value, ok := values[key]
	if !ok {
		return value, fault.NewNotFound()
	}
	return value, nil
}

func (s *Store) holder(email string) (account.Member, bool) {
	var all []account.Member
	for _, member := range s.members {
		all = append(all, member)
	}
	return account.Holder(email, all)
}

// MemberByEmail returns the member whom an email names.
func (s *Store) MemberByEmail(_ context.Context, email string) (account.Member, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	holder, ok := s.holder(email)
	if !ok {
		return account.Member{}, fault.NewNotFound()
	}
	return holder, nil
}

// Members returns one page of all members by id.
func (s *Store) Members(_ context.Context, query account.Query) (listing.Rows[account.Member], error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return pageOf(s.members, query.Request, func(a, b account.Member) int { return cmp.Compare(a.ID, b.ID) })
}

func pageOf[Key comparable, Value any](
	values map[Key]Value, page listing.Request, order func(a, b Value) int,
) (listing.Rows[Value], error) {
	var all []Value
	for _, value := range values {
		all = append(all, value)
	}
	slices.SortFunc(all, order)
	return listingtest.Whole(page, all, func(Value) uint64 { return 0 })
}

// UpdateMember lets change alter a member.
func (s *Store) UpdateMember(
	_ context.Context, id uint64, change func(*account.Member) (account.Consequences, error),
) (account.Member, []account.Revocation, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	before, err := found(s.members, id)
	if err != nil {
		return account.Member{}, nil, err
	}
	member := before
	follows, err := change(&member)
	if err != nil {
		return account.Member{}, nil, err
	}
	if holder, taken := s.holder(member.Email); taken && holder.ID != id {
		return account.Member{}, nil, account.ErrEmailTaken
	}
	if member != before {
		member.Version++
		s.writes++
	}
	s.members[id] = member
	if !follows.EndsSessions {
		s.record(follows.Events...)
		return member, nil, nil
	}
	return member, s.end(follows.Ending, account.Revocation{MemberID: id, ExceptSession: follows.Except}, func(session account.Session) bool {
		return session.MemberID == id && session.ID != follows.Except
	}), nil
}

// DeleteMember removes a member.
func (s *Store) DeleteMember(
	_ context.Context, id uint64, allow func(account.Member) error, ending account.Ending,
) ([]account.Revocation, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	member, err := found(s.members, id)
	if err == nil {
		err = allow(member)
	}
	if err != nil {
		return nil, err
	}
	delete(s.members, id)
	return s.end(ending, account.Revocation{MemberID: id, ThroughSession: math.MaxInt64}, func(session account.Session) bool {
		return session.MemberID == id
	}), nil
}

// end ends the sessions of which is says so, and returns the revocation of them, if there were any.
func (s *Store) end(ending account.Ending, revocation account.Revocation, is func(account.Session) bool) []account.Revocation {
	s.record(ending.Events...)
	revocation.Until = ending.Until
	ended := false
	for id, session := range s.sessions {
		if !is(session) || session.Revoked {
			continue
		}
		session.Revoked, ended = true, true
		s.sessions[id] = session
		revocation.Until = latest(revocation.Until, ending.Covering(session.TokenExpiresAt))
		if revocation.MemberID != 0 {
			revocation.ThroughSession = max(revocation.ThroughSession, id)
		}
	}
	if !ended {
		return nil
	}
	s.writes++
	revocation.Sequence = uint64(len(s.revocations) + 1)
	s.revocations = append(s.revocations, revocation)
	return []account.Revocation{revocation}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ImportedMembers takes all members for imported.
func (s *Store) ImportedMembers(_ context.Context, ids []uint64) (imported []uint64, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, id := range ids {
		if _, there := s.members[id]; there {
			imported = append(imported, id)
		}
	}
	return imported, nil
}
