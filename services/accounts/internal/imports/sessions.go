package imports

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/drf"
)

// endOf is when a token of knox expires. One that never does gets a time that nobody will see.
const endOf = "COALESCE(expiry, created + INTERVAL 100 YEAR)"

// Sessions is the table of the tokens that are valid at now. It must come after Members.
func Sessions(to *store.Store, domain *account.Service, now time.Time) *drf.Table[string] {
	return &drf.Table[string]{
		Name:  "session",
		Count: "SELECT COUNT(*) FROM knox_authtoken WHERE " + endOf + " > ?",
		// Digests are texts of ASCII. As bytes they have the same order here and there.
		Query:   "SELECT digest, user_id, created, " + endOf + " FROM knox_authtoken WHERE " + endOf + " > ? ORDER BY CAST(digest AS BINARY)",
		Expired: "SELECT COUNT(*) FROM knox_authtoken WHERE " + endOf + " <= ?",
		Args:    []any{now.UTC().Format("2006-01-02 15:04:05.000000")},
		Key: func(text string) (string, error) {
			_, err := readDigest(text)
			return text, err
		},
		Known: func(ctx context.Context, after string, most int) ([]drf.Known[string], error) {
			return to.SessionsAfter(ctx, now, after, most)
		},
		Apply: func(ctx context.Context, batch []drf.Difference[string], dry bool) (drf.Result, error) {
			sessions := make([]store.SessionElsewhere, len(batch))
			for i, difference := range batch {
				sessions[i] = readSession(difference)
			}
			result, revocations, err := to.ImportSessions(ctx, sessions, domain.EndedElsewhere(ctx), dry)
			if err == nil {
				domain.Publish(ctx, revocations)
			}
			return result, err
		},
	}
}

func readDigest(text string) (digest account.KnoxDigest, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(digest) || hex.EncodeToString(raw) != text {
		return digest, errors.New("it is no digest of a token")
	}
	return account.KnoxDigest(raw), nil
}

func readSession(difference drf.Difference[string]) store.SessionElsewhere {
	session := store.SessionElsewhere{Kind: difference.Kind, Token: difference.Key}
	var err error
	if session.Digest, err = readDigest(difference.Key); err == nil && difference.Kind != drf.Gone {
		err = fill(&session, difference.Fields)
	}
	if err != nil {
		session.Problem = err.Error()
	}
	return session
}

func fill(session *store.SessionElsewhere, fields []sql.NullString) (err error) {
	if session.MemberID, err = drf.ParseID(fields[1].String); err != nil {
		return fmt.Errorf("its member: %w", err)
	}
	if session.CreatedAt, err = drf.ParseTime(fields[2].String); err == nil {
		session.ExpiresAt, err = drf.ParseTime(fields[3].String)
	}
	return err
}
