package store

import (
	"context"
	"slices"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/listing"
)

type (
	idsQuery   func(context.Context, *sqlcgen.Queries) ([]uint64, error)
	countQuery func(context.Context, *sqlcgen.Queries) (int64, error)
)

// plan chooses the queries for a list: those that an index serves where there are some, else the search.
func plan(query account.Query) (idsQuery, countQuery) {
	key, _ := singleKey(query.Ordering)
	switch {
	case searches(query):
		return search(query)
	case query.Email != "":
		return withEmail(query)
	case query.Name == "":
		return all(orderings[key], query)
	}
	return named(key, query)
}

// searches says that no index serves the whole query.
func searches(query account.Query) bool {
	key, single := singleKey(query.Ordering)
	return len(query.Terms) > 0 || query.Email == "" && (!single || query.Name != "" && key.Field != "id")
}

// singleKey returns the one field that decides an ordering. What follows a unique field decides nothing.
func singleKey(ordering []listing.Key) (listing.Key, bool) {
	if len(ordering) == 0 {
		return listing.Key{Field: "id"}, true
	}
	first := ordering[0]
	return first, len(ordering) == 1 || first.Field == "id" || first.Field == "email"
}

func all(list listIDs, query account.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return list(queries, ctx, window{Limit: int32(query.Limit), Offset: int32(query.Offset)})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountMembers(ctx)
		}
}

func named(key listing.Key, query account.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			params := sqlcgen.ListMemberIDsNamedOrderByIDParams{Name: query.Name, Limit: int32(query.Limit), Offset: int32(query.Offset)}
			if key.Descending {
				return queries.ListMemberIDsNamedOrderByIDDesc(ctx, sqlcgen.ListMemberIDsNamedOrderByIDDescParams(params))
			}
			return queries.ListMemberIDsNamedOrderByID(ctx, params)
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountMembersNamed(ctx, query.Name)
		}
}

// withEmail finds the one member with an email; limit and offset can only hide it.
func withEmail(query account.Query) (idsQuery, countQuery) {
	find := func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
		ids, err := queries.ListMemberIDsWithEmail(ctx, sqlcgen.ListMemberIDsWithEmailParams{
			EmailKey: account.EmailKey(query.Email), Name: query.Name,
		})
		if query.EmailsOf != 0 && !slices.Contains(ids, query.EmailsOf) {
			return nil, err
		}
		return ids, err
	}
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			if query.Offset > 0 {
				return nil, nil
			}
			return find(ctx, queries)
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			ids, err := find(ctx, queries)
			return int64(len(ids)), err
		}
}

func search(query account.Query) (idsQuery, countQuery) {
	params := searchParams(query)
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.SearchMemberIDs(ctx, params)
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountMembersFound(ctx, sqlcgen.CountMembersFoundParams{
				EmailKey: params.EmailKey, Name: params.Name, EmailsOf: params.EmailsOf,
				Term1: params.Term1, Term2: params.Term2, Term3: params.Term3, Term4: params.Term4,
				Term5: params.Term5, Term6: params.Term6, Term7: params.Term7, Term8: params.Term8,
			})
		}
}

func searchParams(query account.Query) sqlcgen.SearchMemberIDsParams {
	params := sqlcgen.SearchMemberIDsParams{
		EmailKey: account.EmailKey(query.Email), Name: query.Name, EmailsOf: query.EmailsOf,
		Key1: "", Key2: "", Key3: "", Limit: int32(query.Limit), Offset: int32(query.Offset),
	}
	patterns := [listing.MaxTerms]*string{
		&params.Term1, &params.Term2, &params.Term3, &params.Term4, &params.Term5, &params.Term6, &params.Term7, &params.Term8,
	}
	for i, pattern := range patterns {
		*pattern = "%"
		if i < len(query.Terms) {
			*pattern = containing(query.Terms[i])
		}
	}
	for i, key := range []*any{&params.Key1, &params.Key2, &params.Key3} {
		if i < len(query.Ordering) {
			*key = query.Ordering[i].String()
		}
	}
	return params
}

// MatchingMembers returns the ids of matching members for each term. It is a statement for each term; there are few.
func (s *Store) MatchingMembers(ctx context.Context, terms []string, among uint64, most int) ([][]uint64, error) {
	var matches [][]uint64
	read := s.readSlowly
	if among != 0 {
		read = s.read
	}
	err := read(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		matches = make([][]uint64, len(terms))
		for i, term := range terms {
			ids, err := matchingMembers(ctx, queries, containing(term), among, most)
			if err != nil {
				return err
			}
			matches[i] = ids
		}
		return nil
	})
	return matches, err
}

func matchingMembers(ctx context.Context, queries *sqlcgen.Queries, pattern string, among uint64, most int) ([]uint64, error) {
	if among != 0 {
		return queries.MatchMember(ctx, sqlcgen.MatchMemberParams{ID: among, Term: pattern})
	}
	return queries.MatchMembers(ctx, sqlcgen.MatchMembersParams{Term: pattern, Limit: int32(most)})
}
