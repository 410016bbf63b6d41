package natsx

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func FuzzATimeoutIsNeverNegativeNorLongerThanAllowed(f *testing.F) {
	for _, value := range []string{"", "0", "150", "-1", "5001", "2147483648", "+1", "1e3", "٣", "1 ", "0x10", "1_000"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		timeout := parseTimeout(value)
		require.GreaterOrEqual(t, timeout, time.Duration(0))
		require.LessOrEqual(t, timeout, maxTimeout)
	})
}

func FuzzWhateverTheOtherSideReportsBecomesAFault(f *testing.F) {
	for _, seed := range []struct{ code, detail, wait, fields string }{
		{"invalid", "Invalid input.", "", `{"email":["Enter a valid email address."]}`},
		{"unavailable", "Busy.", "1000", ""}, {"too_many_requests", "", "-5", ""}, {"nonsense", "", "9999999999", ""},
		{"invalid", "", "", `{"email":"text"}`}, {"invalid", "", "", "null"}, {"invalid", "", "", "{"},
	} {
		f.Add(seed.code, seed.detail, seed.wait, []byte(seed.fields))
	}
	f.Fuzz(func(t *testing.T, code, detail, wait string, fields []byte) {
		answer := &nats.Msg{Data: fields, Header: nats.Header{
			micro.ErrorCodeHeader: {code}, micro.ErrorHeader: {detail}, headerRetryAfter: {wait},
		}}
		err := remoteFault("subject", code, answer)
		failure, ok := errors.AsType[*fault.Error](err)
		require.True(t, ok)
		require.GreaterOrEqual(t, failure.RetryAfter, time.Duration(0))
		require.Less(t, failure.RetryAfter, 25*24*time.Hour)
		if readable := len(fields) == 0 || json.Unmarshal(fields, &map[string][]string{}) == nil; readable {
			require.Equal(t, fault.Code(code), failure.Code)
		} else {
			require.Equal(t, fault.Internal, failure.Code)
		}
	})
}
