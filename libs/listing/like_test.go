package listing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

func TestNothingInATermIsAWildcard(t *testing.T) {
	t.Parallel()
	for term, pattern := range map[string]string{"": "%%", "kim": "%kim%", `50%_\`: `%50\%\_\\%`} {
		require.Equal(t, pattern, listing.Containing(term))
	}
}
