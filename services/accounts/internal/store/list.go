package store

import (
	"context"
	"slices"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
)

// The tables from which lists are read. sql/README.md says what their indexes do not serve, and what that costs.
var (
	// MemberList is the list of members. A search finds emails as the member wrote them, whatever the case; a filter by email is
	// one by the ids of those who have its mailbox.
	MemberList = &listsql.Table{
		Name: "members",
		Columns: map[string]listsql.Column{
			"email":         {Name: "email_key", Kind: listsql.Text, Unique: true},
			"written_email": {Name: "email", Kind: listsql.Caseless},
			"name":          {Name: "name", Kind: listsql.Caseless},
			"nickname":      {Name: "nickname", Kind: listsql.Text},
			"phone":         {Name: "phone", Kind: listsql.Text},
			"gender":        {Name: "gender", Kind: listsql.Text, Nullable: true},
			"is_active":     {Name: "is_active", Kind: listsql.Flag},
			"is_admin":      {Name: "is_admin", Kind: listsql.Flag},
			"created_at":    {Name: "created_at", Kind: listsql.Time},
		},
		Indexes: []listsql.Index{
			{Name: "members_email", Fields: []string{"email"}},
			{Name: "members_name", Fields: []string{"name"}},
			{Name: "members_nickname", Fields: []string{"nickname"}},
			{Name: "members_phone", Fields: []string{"phone"}},
			{Name: "members_gender", Fields: []string{"gender"}},
			{Name: "members_active", Fields: []string{"is_active"}},
			{Name: "members_admin", Fields: []string{"is_admin"}},
			{Name: "members_created", Fields: []string{"created_at"}},
		},
		Remembered: &listsql.Remembered{Time: "created_at", Moves: &listsql.Table{
			Name: "member_moves",
			Columns: map[string]listsql.Column{
				"row": {Name: "member_id", Kind: listsql.Number},
				"at":  {Name: "at", Kind: listsql.Time},
			},
			Indexes: []listsql.Index{{Name: "member_moves_at", Fields: []string{"at"}}},
		}},
	}
	// SessionList is the list of a member's sessions.
	SessionList = &listsql.Table{
		Name: "sessions",
		Columns: map[string]listsql.Column{
			"member":  {Name: "member_id", Kind: listsql.Number},
			"revoked": {Name: "revoked_at", Kind: listsql.Time, Nullable: true},
			"expires": {Name: "expires_at", Kind: listsql.Time},
		},
		Indexes: []listsql.Index{{Name: "sessions_live", Fields: []string{"member", "revoked"}, Covers: []string{"expires"}}},
		Order:   []listing.Key{{Field: "id", Descending: true}},
	}
	// EventList is the list of audit events.
	EventList = &listsql.Table{
		Name: "audit_events",
		Columns: map[string]listsql.Column{
			"action":  {Name: "action", Kind: listsql.Text},
			"outcome": {Name: "outcome", Kind: listsql.Text},
			"actor":   {Name: "actor", Kind: listsql.Number},
			"subject": {Name: "subject", Kind: listsql.Number},
			"at":      {Name: "at", Kind: listsql.Time},
		},
		Indexes: []listsql.Index{
			{Name: "audit_events_at", Fields: []string{"at"}},
			{Name: "audit_events_action", Fields: []string{"action", "at"}},
			{Name: "audit_events_actor", Fields: []string{"actor", "at"}},
			{Name: "audit_events_subject", Fields: []string{"subject", "at"}},
			{Name: "audit_events_outcome", Fields: []string{"outcome", "at"}},
		},
		Order: []listing.Key{{Field: "at", Descending: true}},
	}
)

// Members returns one page in at most three statements: the ids, their number unless the page tells it or it is remembered, the rows. A
// filter by email takes one more, a search one or two. The members come without the hash of their password.
func (s *Store) Members(ctx context.Context, query account.Query) (page listing.Rows[account.Member], err error) {
	conditions := searched(query)
	if email, filtered := query.Value("email").(string); filtered {
		holders, err := s.holders(ctx, email, query.EmailsOf)
		if err != nil {
			return page, err
		}
		conditions = append(conditions, holders)
		query.Matches = slices.DeleteFunc(slices.Clone(query.Matches), func(match listing.Match) bool { return match.Field == "email" })
	}
	plan, err := s.counts.Plan(query.Request, conditions...)
	if err != nil {
		return page, err
	}
	err = s.reading(plan)(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
		plan, err := searching(ctx, reader, query, plan)
		if err != nil {
			return err
		}
		page, err = listsql.Read(ctx, reader, plan, sqlcgen.New(reader).ListMembersByIDs, listed)
		return err
	})
	return page, err
}

// searching returns the plan of a search: one that reads only the members that a piece of its words finds, where that takes less than to
// look at all that the filters leave. A page by cursor walks through the members, because the next page goes on where it ended.
func searching(ctx context.Context, reader mysqlx.Reader, query account.Query, plan listsql.Plan) (listsql.Plan, error) {
	if len(query.Terms) == 0 || query.Cursor != nil || plan.Direct() || query.Value("name") != nil {
		return plan, nil
	}
	found, err := lookUp(ctx, reader, query.Terms)
	if err != nil {
		return plan, err
	}
	all := make([]int, len(query.Terms))
	for i := range all {
		all[i] = i
	}
	if ways := found.ways(all...); len(ways) > 0 {
		return plan.Among(ways...), nil
	}
	return plan, nil
}

// holders is the condition that an email names the member's mailbox, which may be that of one member only, unless 0.
func (s *Store) holders(ctx context.Context, email string, emailsOf uint64) (condition listsql.Condition, err error) {
	var ids []uint64
	err = s.cluster.Read(ctx, onReader(func(ctx context.Context, queries *sqlcgen.Queries) error {
		members, err := withMailbox(ctx, queries, email)
		ids = nil
		for _, member := range members {
			if emailsOf == 0 || emailsOf == member.ID {
				ids = append(ids, member.ID)
			}
		}
		return err
	}))
	switch len(ids) {
	case 0:
		return listsql.Is("id", uint64(0)), err // no member
	case 1:
		return listsql.Is("id", ids[0]), err
	}
	return listsql.In("id", ids), err
}

// reading returns how a list is read that may lack what others wrote a moment ago. Of lists that no index serves, only a few
// are read at the same time.
func (s *Store) reading(plan listsql.Plan) func(context.Context, func(context.Context, mysqlx.Reader) error) error {
	if plan.Quick() {
		return s.cluster.Read
	}
	return s.cluster.ReadSlowly
}

// searched are the conditions of the terms, each of which stands in the member's name or in an email that may be looked at.
func searched(query account.Query) []listsql.Condition {
	var conditions []listsql.Condition
	for _, term := range query.Terms {
		conditions = append(conditions, holds(term, query.EmailsOf))
	}
	return conditions
}

// holds is the condition that a member's name holds a term or, of all members or of one, the email.
func holds(term string, emailsOf uint64) listsql.Condition {
	email := listsql.Contains("written_email", term)
	if emailsOf != 0 {
		email = listsql.All(listsql.Is("id", emailsOf), email)
	}
	return listsql.Any(listsql.Contains("name", term), email)
}

// MatchingMembers returns the ids of matching members for each term. It is a statement for each term, of which there are few, and one or two before.
func (s *Store) MatchingMembers(ctx context.Context, terms []string, among uint64, most int) ([][]uint64, error) {
	plans := make([]listsql.Plan, len(terms))
	matches := make([][]uint64, len(terms))
	if len(terms) == 0 {
		return matches, nil
	}
	for i, term := range terms {
		conditions := []listsql.Condition{holds(term, 0)}
		if among != 0 {
			conditions = append(conditions, listsql.Is("id", among))
		}
		var err error
		if plans[i], err = MemberList.Plan(listing.Request{Limit: most}, conditions...); err != nil {
			return nil, err
		}
	}
	err := s.reading(plans[0])(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		var found pieces
		if among == 0 {
			if found, err = lookUp(ctx, reader, terms); err != nil {
				return err
			}
		}
		for i, plan := range plans {
			if among == 0 {
				if ways := found.ways(i); len(ways) > 0 {
					plan = plan.Among(ways...)
				}
			}
			if matches[i], err = listsql.IDs(ctx, reader, plan); err != nil {
				return err
			}
		}
		return nil
	})
	return matches, err
}

// Sessions returns one page in at most three statements, as Members does.
func (s *Store) Sessions(ctx context.Context, now time.Time, request listing.Request) (page listing.Rows[account.Session], err error) {
	// Times are kept in microseconds, so what expires later than now does so a microsecond later at the least.
	plan, err := SessionList.Plan(request, listsql.IsNull("revoked"), listsql.AtLeast("expires", now.Add(time.Microsecond)))
	if err != nil {
		return page, err
	}
	err = s.cluster.ReadLatest(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		page, err = listsql.Read(ctx, reader, plan, sqlcgen.New(reader).ListSessionsByIDs,
			func(row sqlcgen.Session) (uint64, account.Session) { return row.ID, toSession(row) })
		return err
	})
	return page, err
}

// AuditEvents returns one page in at most three statements, as Members does.
func (s *Store) AuditEvents(ctx context.Context, request listing.Request) (page listing.Rows[audit.Event], err error) {
	plan, err := EventList.Plan(request)
	if err != nil {
		return page, err
	}
	err = s.reading(plan)(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		page, err = listsql.Read(ctx, reader, plan, sqlcgen.New(reader).ListAuditEventsByIDs,
			func(row sqlcgen.AuditEvent) (uint64, audit.Event) { return row.ID, toEvent(row) })
		return err
	})
	return page, err
}
