package requestid_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/requestid"
)

func FuzzValidTakesWhatNeitherForgesLinesNorHeaders(f *testing.F) {
	plain := regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)
	for _, id := range []string{"", requestid.New(), "a\r\nb", "ü", "x\x00", "a b", "-_"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		require.Equal(t, plain.MatchString(id), requestid.Valid(id))
	})
}
