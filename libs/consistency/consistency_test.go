package consistency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
)

func TestATokenSurvivesItsText(t *testing.T) {
	t.Parallel()
	for _, token := range []consistency.Token{0, 1, 1_795_000_000_000_000, consistency.Newest} {
		require.Equal(t, token, consistency.Parse(token.String()))
	}
}

func TestWhatIsNoTokenAsksForNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "-1", "1.5", "abc", "0x10", " 1", "1 ", "9223372036854775808", "99999999999999999999999"} {
		require.Zero(t, consistency.Parse(text), text)
	}
}

func FuzzAnyTextIsATokenOrAsksForNothing(f *testing.F) {
	f.Add("1795000000000000")
	f.Add("00012")
	f.Fuzz(func(t *testing.T, text string) {
		if token := consistency.Parse(text); token != 0 {
			require.Equal(t, strings.TrimLeft(text, "0"), token.String())
			require.LessOrEqual(t, token, consistency.Newest)
		}
	})
}

func TestARequestSeesWhatItWasToldAndWhatItWrote(t *testing.T) {
	t.Parallel()
	ctx := consistency.Into(t.Context(), 10)
	require.Equal(t, consistency.Token(10), consistency.After(ctx))
	require.Zero(t, consistency.WrittenBy(ctx), "nothing was written yet")
	consistency.Wrote(ctx, 5)
	require.Equal(t, consistency.Token(10), consistency.After(ctx))
	consistency.Wrote(ctx, 20)
	consistency.Wrote(ctx, 15)
	require.Equal(t, consistency.Token(20), consistency.After(ctx))
	require.Equal(t, consistency.Token(20), consistency.WrittenBy(ctx))
}

func TestOutsideOfARequestNothingIsAskedAndNothingRemembered(t *testing.T) {
	t.Parallel()
	consistency.Wrote(t.Context(), 5)
	consistency.Concern(t.Context(), 5)
	require.Zero(t, consistency.Writes(t.Context()))
	require.Zero(t, consistency.After(t.Context()))
	require.Zero(t, consistency.WrittenBy(t.Context()))
}

func TestARequestKnowsWhomItsWritesConcern(t *testing.T) {
	t.Parallel()
	ctx := consistency.Into(t.Context(), 0)
	require.Zero(t, consistency.Writes(ctx))
	consistency.Concern(ctx, 7)
	consistency.Concern(ctx, 8, 0, 7, 9)
	consistency.Wrote(ctx, 20)
	require.Equal(t, consistency.Written{MemberIDs: []uint64{7, 8, 9}, Token: 20}, consistency.Writes(ctx))
}

func note(memory *consistency.Memory, token consistency.Token, memberIDs ...uint64) {
	memory.Note(consistency.Written{MemberIDs: memberIDs, Token: token})
}

func TestMemoryKeepsTheLatestTokenOfEachMember(t *testing.T) {
	t.Parallel()
	memory := consistency.NewMemory(time.Now)
	note(memory, 20, 1)
	note(memory, 10, 1)
	note(memory, 30, 0)
	require.Equal(t, consistency.Token(20), memory.Of(1))
	require.Zero(t, memory.Of(0), "an anonymous caller has no memory")
	require.Zero(t, memory.Of(2))
}

func TestMemoryForgetsTokensThatNoReplicaInUseCanLack(t *testing.T) {
	t.Parallel()
	now := time.Now()
	memory := consistency.NewMemory(func() time.Time { return now })
	note(memory, 10, 1)
	now = now.Add(59 * time.Second)
	note(memory, 20, 2)
	now = now.Add(59 * time.Second)
	require.Equal(t, consistency.Token(20), memory.Of(2), "it is less than a minute old")
	now = now.Add(time.Minute)
	require.Zero(t, memory.Of(1))
	note(memory, 30, 3)
	now = now.Add(2 * time.Minute)
	require.Zero(t, memory.Of(2))
	require.Zero(t, memory.Of(3))
}

func TestAMemoryThatIsFullForgetsNothingThatCounts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	memory := consistency.NewMemory(func() time.Time { return now })
	const members = 175_000
	for id := uint64(1); id <= members; id++ {
		note(memory, consistency.Token(1000+id), id)
	}
	for id := uint64(1); id <= members; id++ {
		if memory.Of(id) < consistency.Token(1000+id) {
			require.Fail(t, "a token is lost", "of member %d", id)
		}
	}
	require.Less(t, memory.Of(members+1), consistency.Token(1000+members-50_000), "those who did not write share the oldest")
	require.Zero(t, memory.Of(0))
	now = now.Add(61 * time.Second)
	require.Zero(t, memory.Of(members+1), "for a minute")
}
