package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
	"oms.internal/libs/drf"
)

// SessionElsewhere is a session of drf-oms, which is a token of knox, that differs from what was taken of it.
type SessionElsewhere struct {
	Kind drf.Kind
	// Token is the token's digest in hex, as knox stores it, by which it is named in reports.
	Token     string
	Digest    account.KnoxDigest
	MemberID  uint64
	CreatedAt time.Time
	ExpiresAt time.Time
	// Problem is why it cannot be a session here, "" if it can.
	Problem string
}

// sessionAgent is what lists of sessions show of one that was opened in drf-oms.
const sessionAgent = drf.Name

// asTaken is the digest of a session as the source has it.
func asTaken(memberID uint64, createdAt, expiresAt time.Time) drf.Digest {
	return drf.Of("", strconv.FormatUint(memberID, 10), createdAt.UTC().Format(timeText), expiresAt.UTC().Format(timeText))
}

// SessionsAfter returns what an import has taken of sessions that are valid at now: a page of drf.Table.Known. Sessions that were
// ended here are among them, because a session that has ended does not come back.
func (s *Store) SessionsAfter(ctx context.Context, now time.Time, after string, most int) (known []drf.Known[string], err error) {
	digest, err := hex.DecodeString(after)
	if err != nil {
		return nil, err
	}
	err = s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		rows, err := queries.ListKnoxTokensAfter(ctx, sqlcgen.ListKnoxTokensAfterParams{Digest: digest, ExpiresAt: now, Limit: int32(most)})
		known = make([]drf.Known[string], len(rows))
		for i, row := range rows {
			known[i].Key = hex.EncodeToString(row.Digest)
			known[i].Digest = asTaken(row.MemberID, row.CreatedAt, row.ExpiresAt)
		}
		return err
	})
	return known, err
}

// ImportSessions takes sessions of drf-oms, each for itself. One that is gone there ends here.
func (s *Store) ImportSessions(
	ctx context.Context, batch []SessionElsewhere, ending account.Ending, dry bool,
) (result drf.Result, revocations []account.Revocation, err error) {
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		run := &sessionImport{queries: queries, ending: ending, dry: dry, now: s.now()}
		if err := run.all(ctx, batch); err != nil {
			return err
		}
		result, revocations = run.result, run.revocations
		if dry {
			return drf.ErrDry
		}
		return nil
	})
	if errors.Is(err, drf.ErrDry) {
		err = nil
	}
	return result, revocations, err
}

// sessionImport is one transaction of an import.
type sessionImport struct {
	queries *sqlcgen.Queries
	ending  account.Ending
	dry     bool
	now     time.Time

	result      drf.Result
	revocations []account.Revocation
}

func (i *sessionImport) all(ctx context.Context, batch []SessionElsewhere) error {
	digests, ids := make([][]byte, len(batch)), make([]uint64, len(batch))
	for n, there := range batch {
		digests[n], ids[n] = there.Digest[:], there.MemberID
	}
	// The members are locked, as for a login, so that what ends all sessions of one of them finds these or comes first.
	imported, err := i.queries.ListImportedMembers(ctx, ids)
	if err != nil {
		return err
	}
	members := map[uint64]bool{}
	if len(imported) > 0 {
		rows, err := i.queries.ListMembersForUpdate(ctx, imported)
		if err != nil {
			return err
		}
		for _, row := range rows {
			members[row.ID] = true
		}
	}
	rows, err := i.queries.ListKnoxTokensForUpdate(ctx, digests)
	if err != nil {
		return err
	}
	here := map[account.KnoxDigest]sqlcgen.ListKnoxTokensForUpdateRow{}
	for _, row := range rows {
		here[account.KnoxDigest(row.Digest)] = row
	}
	for _, there := range batch {
		present, known := here[there.Digest]
		switch {
		case there.Kind == drf.Gone && known:
			err = i.gone(ctx, there, present)
		case there.Kind == drf.Gone:
		case there.Problem != "":
			i.refuse(there, there.Problem)
		case known && present.MemberID != there.MemberID:
			i.refuse(there, fmt.Sprintf("it is a session of member %d here, and of %d in drf-oms", present.MemberID, there.MemberID))
		case known:
			err = i.changed(ctx, there, present)
		case !members[there.MemberID] && !i.dry:
			i.refuse(there, fmt.Sprintf("its member %d is not here", there.MemberID))
		default:
			err = i.open(ctx, there, members[there.MemberID])
		}
		if err != nil {
			return err
		}
	}
	if i.dry || i.result.New == 0 {
		return nil
	}
	return insertEvents(ctx, i.queries, []audit.Event{{
		At: i.now, Action: audit.Import, Outcome: audit.Success, Detail: fmt.Sprintf("%d sessions, from %s", i.result.New, drf.Name), Count: 1,
	}})
}

func (i *sessionImport) refuse(there SessionElsewhere, reason string) {
	i.result.Refused = append(i.result.Refused, drf.Refusal{Key: there.Token, Reason: reason})
}

func (i *sessionImport) open(ctx context.Context, there SessionElsewhere, here bool) error {
	i.result.New++
	if i.dry {
		if !here {
			i.result.Waiting++
		}
		return nil
	}
	id, err := i.queries.InsertSession(ctx, sqlcgen.InsertSessionParams{
		MemberID: there.MemberID, CreatedAt: there.CreatedAt, ExpiresAt: there.ExpiresAt, TokenExpiresAt: toNullTime(there.ExpiresAt),
		LastSeenAt: toNullTime(time.Time{}), Address: "", UserAgent: sessionAgent,
	})
	if err != nil {
		return err
	}
	return i.queries.InsertKnoxToken(ctx, sqlcgen.InsertKnoxTokenParams{Digest: there.Digest[:], SessionID: uint64(id), ExpiresAt: there.ExpiresAt})
}

// changed moves the end of a session, which knox does where it is told to extend tokens that are used.
func (i *sessionImport) changed(ctx context.Context, there SessionElsewhere, present sqlcgen.ListKnoxTokensForUpdateRow) error {
	if present.ExpiresAt.Equal(there.ExpiresAt) {
		return nil // it was done before
	}
	i.result.Changed++
	if i.dry {
		return nil
	}
	err := i.queries.SetEndOfSession(ctx, sqlcgen.SetEndOfSessionParams{
		ExpiresAt: there.ExpiresAt, TokenExpiresAt: toNullTime(there.ExpiresAt), ID: present.ID,
	})
	if err != nil {
		return err
	}
	return i.queries.UpdateKnoxToken(ctx, sqlcgen.UpdateKnoxTokenParams{ExpiresAt: there.ExpiresAt, Digest: there.Digest[:]})
}

// gone ends a session that was ended there.
func (i *sessionImport) gone(ctx context.Context, there SessionElsewhere, present sqlcgen.ListKnoxTokensForUpdateRow) error {
	i.result.Gone++
	if i.dry {
		return nil
	}
	ending := i.ending
	ending.Events = about(present.MemberID, ending.Events)
	for n := range ending.Events {
		ending.Events[n].Detail = audit.AboutSession(present.ID)
	}
	revocations, err := endSession(ctx, i.queries, present.MemberID, present.ID, ending)
	if err != nil {
		return err
	}
	i.revocations = append(i.revocations, revocations...)
	return i.queries.DeleteKnoxToken(ctx, there.Digest[:])
}
