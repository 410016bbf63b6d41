package requestid_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/requestid"
)

func TestNewIdentifiersAreValidAndDiffer(t *testing.T) {
	t.Parallel()
	first, second := requestid.New(), requestid.New()
	require.True(t, requestid.Valid(first))
	require.Len(t, first, 26)
	require.NotEqual(t, first, second)
}

func TestTheContextCarriesTheIdentifier(t *testing.T) {
	t.Parallel()
	require.Equal(t, "r-1", requestid.From(requestid.Into(context.Background(), "r-1")))
	require.Empty(t, requestid.From(context.Background()))
}

func TestOnlyShortPlainIdentifiersAreValid(t *testing.T) {
	t.Parallel()
	for id, valid := range map[string]bool{
		"a": true, "AZaz09-_": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a\nb": false, "a\r\nX: y": false, "a\x00": false,
		"é": false, "한": false, "a=b": false, `a"b`: false, "a/b": false, "a.b": false,
	} {
		require.Equal(t, valid, requestid.Valid(id), "%q", id)
	}
}
