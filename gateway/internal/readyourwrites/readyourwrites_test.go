package readyourwrites

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
)

// started returns the members of a gateway that has just started.
func started() (*Members, *testkit.Clock) {
	watch := testkit.Noon()
	return New(nil, slog.New(slog.DiscardHandler), watch.Now), watch
}

// hear has an answer to the member pass.
func hear(t *testing.T, members *Members, memberID uint64, token, concerned string) {
	t.Helper()
	var header fasthttp.ResponseHeader
	header.Set(consistency.Header, token)
	header.Set(consistency.HeaderConcerned, concerned)
	require.NoError(t, members.ReadAnswer(authn.Principal{MemberID: memberID}, &header))
}

func TestGatewayThatHasJustStartedRequiresTheNewest(t *testing.T) {
	t.Parallel()
	members, watch := started()
	require.Equal(t, consistency.Newest, members.Required(7, 0))
	require.Equal(t, consistency.Newest, members.Required(0, 5), "anonymous callers were told things too")
	hear(t, members, 7, "50", "")
	watch.Advance(unsureFor - 1)
	require.Equal(t, consistency.Newest, members.Required(7, 5))
	watch.Advance(1)
	require.Equal(t, consistency.Token(50), members.Required(7, 5))
	require.Equal(t, consistency.Token(5), members.Required(0, 5))
}

func TestMemberMustSeeTheLaterOfWhatWasToldAndWhatItBears(t *testing.T) {
	t.Parallel()
	members, watch := started()
	watch.Advance(unsureFor)
	hear(t, members, 7, "50", "")
	hear(t, members, 7, "40", "")
	require.Equal(t, consistency.Token(50), members.Required(7, 0))
	require.Equal(t, consistency.Token(50), members.Required(7, 49))
	require.Equal(t, consistency.Newest, members.Required(7, consistency.Newest), "the primary serves it")
	require.Equal(t, consistency.Token(50), members.Required(7, 0), "the client's word is not remembered")
	require.Equal(t, consistency.Token(3), members.Required(8, 3))
}

func TestAnswerTellsThoseWhomItConcerns(t *testing.T) {
	t.Parallel()
	members, watch := started()
	watch.Advance(unsureFor)
	hear(t, members, 0, "50", "7,8")
	require.Equal(t, consistency.Token(50), members.Required(7, 0))
	require.Equal(t, consistency.Token(50), members.Required(8, 0))
	require.Zero(t, members.Required(0, 0), "an anonymous caller is nobody")
	require.Zero(t, members.Required(9, 0))
	hear(t, members, 9, "garbage", "9")
	require.Zero(t, members.Required(9, 0))
}
