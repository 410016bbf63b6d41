package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASessionDoesNotEndBeforeItsToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		token, refresh time.Duration
		want           string // "" for settings that go together
	}{
		{10 * time.Hour, 720 * time.Hour, ""},
		{time.Hour, time.Hour, ""},
		{time.Hour, time.Hour - 1, "REFRESH_LIFETIME"},
		{0, time.Hour, "TOKEN_LIFETIME"},
		{-1, time.Hour, "TOKEN_LIFETIME"},
		{time.Hour, 0, "REFRESH_LIFETIME"},
		{time.Hour, -1, "REFRESH_LIFETIME"},
		{0, 0, "TOKEN_LIFETIME"},
		{0, 0, "REFRESH_LIFETIME"},
	} {
		err := Config{TokenLifetime: test.token, RefreshLifetime: test.refresh}.check()
		if test.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, test.want)
		}
	}
}
