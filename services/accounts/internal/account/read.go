package account

import (
	"context"
	"slices"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// Get returns one member as the caller sees it.
func (s *Service) Get(ctx context.Context, caller authn.Principal, id uint64) (View, error) {
	member, err := s.deps.Store.Member(ctx, id)
	if err != nil {
		return View{}, err
	}
	if !s.sees(caller, id) {
		return View{}, authn.NewHidden(id)
	}
	if caller.Admin && caller.MemberID != id {
		s.series.Add(s.event(ctx, audit.MemberRead, caller, id, ""))
	}
	return s.view(ctx, caller, member), nil
}

// List returns one page of members as the caller sees them. The request must be of what Listable declares for the caller.
func (s *Service) List(ctx context.Context, caller authn.Principal, request listing.Request) (listing.Rows[View], error) {
	if s.deps.Directory == DirectoryAdmin && !caller.Admin {
		return listing.Rows[View]{}, fault.NewForbidden()
	}
	query := Query{Request: request}
	if !s.seesAll(caller) {
		query.EmailsOf = caller.MemberID
	}
	members, err := s.deps.Store.Members(ctx, query)
	views := listing.Rows[View]{Count: members.Count, Next: members.Next, Previous: members.Previous}
	if err == nil && caller.Admin {
		s.series.Add(s.event(ctx, audit.MemberList, caller, 0, audit.Asked(request)))
	}
	if err == nil {
		views.Values = s.views(ctx, caller, members.Values)
	}
	return views, err
}

// exportPage is how many members are read at once for an export.
const exportPage = 1000

// Export returns a function that reads all members of the request, in parts, until it returns none. Only admins may ask.
func (s *Service) Export(
	ctx context.Context, caller authn.Principal, request listing.Request,
) (next func(context.Context) ([]Member, error), err error) {
	if err := s.requireAdmin(ctx, caller); err != nil {
		return nil, err
	}
	s.series.Add(s.event(ctx, audit.MemberExport, caller, 0, audit.Asked(request)))
	// In the order of a value that changes, a row that changes meanwhile would come twice or not at all.
	request.Ordering = adminsMembers.DefaultOrdering(request.Matches)
	return listing.Walk(request, exportPage, func(ctx context.Context, request listing.Request) (listing.Rows[Member], error) {
		return s.deps.Store.Members(ctx, Query{Request: request})
	}), nil
}

// The lists of members: nobody can filter, search or order by what it may not see.
var (
	maskedMembers = listing.List{
		Filters:  []listing.Filter{listing.Text("email"), listing.Text("name")},
		Search:   []string{"own email", "name"},
		Ordering: []string{"id", "name", "nickname"},
	}
	openMembers = listing.List{
		Filters: maskedMembers.Filters, Search: []string{"email", "name"},
		Ordering: []string{"id", "email", "name", "nickname", "phone", "gender"},
	}
	adminsMembers = listing.List{
		Filters: append(slices.Clone(maskedMembers.Filters), listing.Flag("is_active"), listing.Flag("is_admin"),
			listing.Since("created_at__gte", "created_at"), listing.Until("created_at__lt", "created_at")),
		Search:   openMembers.Search,
		Ordering: append(slices.Clone(openMembers.Ordering), "is_active", "is_admin", "created_at"),
	}
)

// Listable returns what the caller may ask of the list of members.
func (s *Service) Listable(caller authn.Principal) listing.List {
	switch {
	case caller.Admin:
		return adminsMembers
	case s.seesAll(caller):
		return openMembers
	}
	return maskedMembers
}

func (s *Service) seesAll(caller authn.Principal) bool {
	return caller.Admin || s.deps.Directory == DirectoryOpen
}

// CurrentMember returns the member as it is now, and whether there is one, for whoever is about to write.
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

// ImportedMembers returns which of some members of the other system are here.
func (s *Service) ImportedMembers(ctx context.Context, ids []uint64) ([]uint64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.deps.Store.ImportedMembers(ctx, ids)
}
