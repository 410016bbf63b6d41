package revocation

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
)

func headerOf(t *testing.T, message accounts.Revocations) *fasthttp.ResponseHeader {
	t.Helper()
	encoded, err := json.Marshal(message)
	require.NoError(t, err)
	return saying(string(encoded))
}

// saying is the head of an answer that tells revocations.
func saying(values ...string) *fasthttp.ResponseHeader {
	var header fasthttp.ResponseHeader
	for _, value := range values {
		header.Add(accounts.HeaderRevocations, value)
	}
	return &header
}

func TestAnswerOfAccountsIsUnderstoodOrRefused(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	follower := newFollower(nil, clock.Now, nil)
	require.NoError(t, follower.ReadAnswer(authn.Principal{}, saying()))
	require.NoError(t, follower.ReadAnswer(authn.Principal{}, saying(
		`{"revocations":[{"session_id":10,"until":"2026-11-23T13:00:00Z"}]}`,
		`{"revocations":[{"member_id":2,"through_session":20,"except_session":19,"until":"2026-11-23T13:00:00Z"}]}`,
	)))
	require.True(t, follower.Revoked(1, 10))
	require.True(t, follower.Revoked(2, 20))
	require.False(t, follower.Revoked(2, 19))
	require.Error(t, follower.ReadAnswer(authn.Principal{}, saying("10")))
}

func FuzzMessageIsReadWholeOrNotAtAll(f *testing.F) {
	f.Add(`{"revocations":[{"sequence":1,"session_id":10,"until":"2026-11-23T13:00:00Z"}]}`)
	f.Add(`{"revocations":[{"sequence":7,"member_id":2,"through_session":20,"except_session":3,"until":"2100-01-01T00:00:00Z"}]}`)
	f.Add(`{"revocations":null,"latest":18446744073709551615}`)
	f.Add(`[]`)
	f.Add(`{`)
	clock := testkit.Noon()
	f.Fuzz(func(t *testing.T, text string) {
		follower := newFollower(nil, clock.Now, nil)
		err := follower.hear([]byte(text))
		if err != nil {
			require.Zero(t, follower.Len())
			require.Zero(t, follower.sequence.last())
			return
		}
		var message accounts.Revocations
		require.NoError(t, json.Unmarshal([]byte(text), &message))
		require.LessOrEqual(t, follower.sequence.last(), uint64(len(message.Revocations)))
		for _, revocation := range message.Revocations {
			if revocation.SessionID != 0 && revocation.Until.After(clock.Now()) {
				require.True(t, follower.Revoked(revocation.MemberID, revocation.SessionID))
			}
		}
	})
}
