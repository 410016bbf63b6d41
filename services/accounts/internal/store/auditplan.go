package store

import (
	"context"

	"oms.internal/accounts/internal/audit"
	"oms.internal/accounts/internal/store/sqlcgen"
)

// planEvents chooses the queries for a list of events: those of the one filter's index, else the search.
func planEvents(query audit.Query) (idsQuery, countQuery) {
	filters := 0
	for _, set := range []bool{query.Action != "", query.Outcome != "", query.Actor != nil, query.Subject != nil} {
		if set {
			filters++
		}
	}
	switch {
	case filters > 1:
		return searchEvents(query)
	case query.Action != "":
		return eventsByAction(query)
	case query.Outcome != "":
		return eventsByOutcome(query)
	case query.Actor != nil:
		return eventsByActor(query)
	case query.Subject != nil:
		return eventsBySubject(query)
	}
	return allEvents(query)
}

func allEvents(query audit.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.ListAuditEventIDs(ctx, sqlcgen.ListAuditEventIDsParams{
				SinceAt: query.Since, BeforeAt: query.Until, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountAuditEvents(ctx, sqlcgen.CountAuditEventsParams{SinceAt: query.Since, BeforeAt: query.Until})
		}
}

func eventsByAction(query audit.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.ListAuditEventIDsByAction(ctx, sqlcgen.ListAuditEventIDsByActionParams{
				Action: string(query.Action), SinceAt: query.Since, BeforeAt: query.Until, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountAuditEventsByAction(ctx, sqlcgen.CountAuditEventsByActionParams{
				Action: string(query.Action), SinceAt: query.Since, BeforeAt: query.Until,
			})
		}
}

func eventsByOutcome(query audit.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.ListAuditEventIDsByOutcome(ctx, sqlcgen.ListAuditEventIDsByOutcomeParams{
				Outcome: string(query.Outcome), SinceAt: query.Since, BeforeAt: query.Until, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountAuditEventsByOutcome(ctx, sqlcgen.CountAuditEventsByOutcomeParams{
				Outcome: string(query.Outcome), SinceAt: query.Since, BeforeAt: query.Until,
			})
		}
}

func eventsByActor(query audit.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.ListAuditEventIDsByActor(ctx, sqlcgen.ListAuditEventIDsByActorParams{
				Actor: *query.Actor, SinceAt: query.Since, BeforeAt: query.Until, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountAuditEventsByActor(ctx, sqlcgen.CountAuditEventsByActorParams{
				Actor: *query.Actor, SinceAt: query.Since, BeforeAt: query.Until,
			})
		}
}

func eventsBySubject(query audit.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.ListAuditEventIDsBySubject(ctx, sqlcgen.ListAuditEventIDsBySubjectParams{
				Subject: *query.Subject, SinceAt: query.Since, BeforeAt: query.Until, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountAuditEventsBySubject(ctx, sqlcgen.CountAuditEventsBySubjectParams{
				Subject: *query.Subject, SinceAt: query.Since, BeforeAt: query.Until,
			})
		}
}

func searchEvents(query audit.Query) (idsQuery, countQuery) {
	filter := sqlcgen.CountAuditEventsFoundParams{
		Action: string(query.Action), Outcome: string(query.Outcome), Actor: toNullID(query.Actor), Subject: toNullID(query.Subject),
		SinceAt: query.Since, BeforeAt: query.Until,
	}
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.SearchAuditEventIDs(ctx, sqlcgen.SearchAuditEventIDsParams{
				Action: filter.Action, Outcome: filter.Outcome, Actor: filter.Actor, Subject: filter.Subject,
				SinceAt: filter.SinceAt, BeforeAt: filter.BeforeAt, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountAuditEventsFound(ctx, filter)
		}
}
