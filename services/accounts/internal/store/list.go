package store

import (
	"context"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/listing"
)

// window is the shape of the parameters of every query that lists ids in one order.
type window struct {
	Limit  int32
	Offset int32
}

type listIDs func(*sqlcgen.Queries, context.Context, window) ([]uint64, error)

// inOrder adapts a generated method, whose parameters have a type of their own, to listIDs.
func inOrder[Params ~struct {
	Limit  int32
	Offset int32
}](list func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) listIDs {
	return func(queries *sqlcgen.Queries, ctx context.Context, page window) ([]uint64, error) {
		return list(queries, ctx, Params(page))
	}
}

// orderings holds the query for each ordering by one field.
var orderings = map[listing.Key]listIDs{
	{Field: "id"}:                         inOrder((*sqlcgen.Queries).ListMemberIDsOrderByID),
	{Field: "id", Descending: true}:       inOrder((*sqlcgen.Queries).ListMemberIDsOrderByIDDesc),
	{Field: "email"}:                      inOrder((*sqlcgen.Queries).ListMemberIDsOrderByEmail),
	{Field: "email", Descending: true}:    inOrder((*sqlcgen.Queries).ListMemberIDsOrderByEmailDesc),
	{Field: "name"}:                       inOrder((*sqlcgen.Queries).ListMemberIDsOrderByName),
	{Field: "name", Descending: true}:     inOrder((*sqlcgen.Queries).ListMemberIDsOrderByNameDesc),
	{Field: "nickname"}:                   inOrder((*sqlcgen.Queries).ListMemberIDsOrderByNickname),
	{Field: "nickname", Descending: true}: inOrder((*sqlcgen.Queries).ListMemberIDsOrderByNicknameDesc),
	{Field: "phone"}:                      inOrder((*sqlcgen.Queries).ListMemberIDsOrderByPhone),
	{Field: "phone", Descending: true}:    inOrder((*sqlcgen.Queries).ListMemberIDsOrderByPhoneDesc),
	{Field: "gender"}:                     inOrder((*sqlcgen.Queries).ListMemberIDsOrderByGender),
	{Field: "gender", Descending: true}:   inOrder((*sqlcgen.Queries).ListMemberIDsOrderByGenderDesc),
}

// Members returns one page in at most three statements: the ids, their number unless the page tells it, the rows.
func (s *Store) Members(ctx context.Context, query account.Query) ([]account.Member, int, error) {
	var members []account.Member
	var count int
	read := s.read
	if searches(query) {
		read = s.readSlowly
	}
	err := read(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		list, total := plan(query)
		members, count, err = listing.Statements[*sqlcgen.Queries, sqlcgen.Member, account.Member]{
			IDs: list, Count: total, Rows: queries.ListMembersByIDs,
			Value: func(row sqlcgen.Member) (uint64, account.Member) { return row.ID, toMember(row) },
		}.Read(ctx, queries, query.Request)
		return err
	})
	return members, count, err
}
