package authn_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
)

func TestWithoutAPrincipalTheCallerIsAnonymous(t *testing.T) {
	t.Parallel()
	member := authn.Principal{MemberID: 7, SessionID: 9, Admin: true}
	require.Equal(t, member, authn.From(authn.Into(context.Background(), member)))
	require.True(t, authn.From(context.Background()).Anonymous())
}
