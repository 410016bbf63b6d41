package account

import (
	"context"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
)

// Get returns one member as the caller sees it.
func (s *Service) Get(ctx context.Context, caller authn.Principal, id uint64) (View, error) {
	if !s.sees(caller, id) {
		return View{}, fault.NewNotFound()
	}
	member, err := s.deps.Store.Member(ctx, id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, caller, member), nil
}

// List returns one page of members as the caller sees them, and how many there are in all. The caller can only filter,
// search and order by what it may see.
func (s *Service) List(ctx context.Context, caller authn.Principal, query Query) ([]View, int, error) {
	if s.deps.Directory == DirectoryAdmin && !caller.Admin {
		return nil, 0, fault.NewForbidden()
	}
	if !s.seesAll(caller) {
		query.EmailsOf = caller.MemberID
	}
	members, count, err := s.deps.Store.Members(ctx, query)
	if err != nil {
		return nil, 0, err
	}
	return s.views(ctx, caller, members), count, nil
}

// Orderable returns the fields by which the caller may order the list of members.
func (s *Service) Orderable(caller authn.Principal) []string {
	if s.seesAll(caller) {
		return []string{"id", "email", "name", "nickname", "phone", "gender"}
	}
	return []string{"id", "name", "nickname"}
}

func (s *Service) seesAll(caller authn.Principal) bool {
	return caller.Admin || s.deps.Directory == DirectoryOpen
}

// CurrentMember returns the member as it is now, and whether there is one. What asks is about to write.
func (s *Service) CurrentMember(ctx context.Context, id uint64) (member Member, exists bool, err error) {
	member, err = s.deps.Store.LatestMember(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return Member{}, false, nil
	}
	return member, err == nil, err
}

// Match returns, for each term, the members whose name or email holds it; truncated says that there are more.
func (s *Service) Match(ctx context.Context, terms []string, among uint64) (matches [][]uint64, truncated bool, err error) {
	matches, err = s.deps.Store.MatchingMembers(ctx, terms, among, accounts.MaxMatches+1)
	for i, ids := range matches {
		if len(ids) > accounts.MaxMatches {
			matches[i], truncated = ids[:accounts.MaxMatches], true
		}
	}
	return matches, truncated, err
}
