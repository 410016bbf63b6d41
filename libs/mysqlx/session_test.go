package mysqlx_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
)

func TestTextOfAnyCharactersComesBackAsItWas(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	texts := []string{"[신메뉴할인] 꼬막무침 🍤", "👨‍👩‍👧‍👦", `'; DROP TABLE item; -- "\`, "\\'\x00\x1a\n", "é", "\U0010ffff", "¥’ʼ＇"}
	require.NoError(t, cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		for id, text := range texts {
			if err := insert(id, text)(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}))
	require.Equal(t, texts, schema.names(t))
	for id, text := range texts {
		require.NoError(t, cluster.ReadLatest(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
			var found int
			require.NoError(t, reader.QueryRowContext(ctx, "SELECT id FROM item WHERE name = BINARY ?", text).Scan(&found))
			require.Equal(t, id, found, text)
			return nil
		}))
	}
}

func TestTimesAreUTCOnBothEnds(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	sent := time.Date(2026, 11, 23, 15, 36, 30, 511841000, time.FixedZone("KST", 9*60*60))
	require.NoError(t, cluster.ReadLatest(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
		var zone, shown string
		var back time.Time
		row := reader.QueryRowContext(ctx, "SELECT @@session.time_zone, CAST(? AS CHAR), CAST(? AS DATETIME(6))", sent, sent)
		require.NoError(t, row.Scan(&zone, &shown, &back))
		require.Equal(t, "+00:00", zone)
		require.Equal(t, "2026-11-23 06:36:30.511841", shown)
		require.Equal(t, sent.UTC(), back)
		return nil
	}))
}

func TestAnUpdateThatChangesNothingStillFoundItsRow(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
	require.NoError(t, cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		for id, want := range map[int]int64{1: 1, 2: 0} {
			result, err := tx.ExecContext(ctx, "UPDATE item SET name = 'x' WHERE id = ?", id)
			require.NoError(t, err)
			found, err := result.RowsAffected()
			require.NoError(t, err)
			require.Equal(t, want, found)
		}
		return nil
	}))
}

func TestWhatAServerMayTakeOtherwiseIsRefused(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	for name, statement := range map[string]string{
		"a text that is too long, which might be cut": "INSERT INTO item VALUES (1, '" + strings.Repeat("x", 51) + "')",
		"two statements in one call":                  "INSERT INTO item VALUES (1, 'x'); DELETE FROM item",
	} {
		require.Error(t, cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		}), name)
		require.Empty(t, schema.names(t), name)
	}
}
