package limit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/fault"
)

func TestBucketTakesItsBurstThenItsRate(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	buckets := newBuckets[uint64](Rate{PerSecond: 10, Burst: 5}, clock.Now)
	for left := 4; left >= 0; left-- {
		got := buckets.take(1)
		require.True(t, got.taken)
		require.Equal(t, left, got.remaining)
		require.Equal(t, time.Duration(5-left)*100*time.Millisecond, got.full)
	}
	refused := buckets.take(1)
	require.False(t, refused.taken)
	require.Zero(t, refused.remaining)
	require.Equal(t, 100*time.Millisecond, refused.retryAfter)
	require.True(t, buckets.take(2).taken, "another has its own")

	clock.Advance(99 * time.Millisecond)
	require.False(t, buckets.take(1).taken)
	clock.Advance(time.Millisecond)
	require.True(t, buckets.take(1).taken)
	require.False(t, buckets.take(1).taken)
	clock.Advance(time.Hour)
	require.Equal(t, 4, buckets.take(1).remaining, "no more than the burst is saved up")
}

func TestRefusedRequestsDoNotLengthenTheWait(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	buckets := newBuckets[uint64](Rate{PerSecond: 1, Burst: 1}, clock.Now)
	require.True(t, buckets.take(1).taken)
	for range 100 {
		require.False(t, buckets.take(1).taken)
	}
	clock.Advance(time.Second)
	require.True(t, buckets.take(1).taken)
}

func TestBucketsAreBoundedAndTheActiveOnesStay(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	buckets := newBuckets[uint64](Rate{PerSecond: 1, Burst: 2}, clock.Now)
	for stranger := uint64(1); stranger < 5*maxBuckets; stranger++ {
		if stranger%1000 == 1 {
			buckets.take(0) // an attacker who asks again and again meanwhile
		}
		buckets.take(stranger)
	}
	require.LessOrEqual(t, buckets.len(), 2*maxBuckets)
	require.False(t, buckets.take(0).taken)
}

// answerOf asks for the member, whose address is 0.0.0.0, as all have in memory.
func answerOf(t *testing.T, app *fiber.App) (*http.Response, map[string]any) {
	t.Helper()
	response, err := app.Test(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), -1)
	require.NoError(t, err)
	defer response.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(response.Body).Decode(&body)
	return response, body
}

func newApp(limits *Limits) *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		failure := fault.Of(err)
		c.Set("Wait", failure.RetryAfter.String())
		return c.SendStatus(map[bool]int{true: http.StatusTooManyRequests, false: 500}[failure.Code == fault.TooManyRequests])
	}})
	app.Use(func(c *fiber.Ctx) error {
		if err := limits.Address(c); err != nil {
			return err
		}
		if err := limits.Member(c, 7); err != nil {
			return err
		}
		return c.SendStatus(http.StatusNoContent)
	})
	return app
}

func TestEveryAnswerTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	app := newApp(New(Rate{PerSecond: 10, Burst: 30}, Rate{PerSecond: 1, Burst: 2}, clock.Now))
	for _, want := range []struct {
		status int
		limit  string
	}{
		{http.StatusNoContent, `"address";r=29;t=1, "member";r=1;t=1`},
		{http.StatusNoContent, `"address";r=28;t=1, "member";r=0;t=2`},
		{http.StatusTooManyRequests, `"address";r=27;t=1, "member";r=0;t=2`},
	} {
		response, _ := answerOf(t, app)
		require.Equal(t, want.status, response.StatusCode)
		require.Equal(t, `"address";q=30;w=3, "member";q=2;w=2`, response.Header.Get("RateLimit-Policy"))
		require.Equal(t, want.limit, response.Header.Get("RateLimit"))
		if want.status == http.StatusTooManyRequests {
			require.Equal(t, "1s", response.Header.Get("Wait"))
		}
	}
}

func TestAddressIsCountedBeforeTheMember(t *testing.T) {
	t.Parallel()
	app := newApp(New(Rate{PerSecond: 1, Burst: 1}, Rate{PerSecond: 1, Burst: 5}, testkit.Noon().Now))
	first, _ := answerOf(t, app)
	require.Equal(t, http.StatusNoContent, first.StatusCode)
	second, _ := answerOf(t, app)
	require.Equal(t, http.StatusTooManyRequests, second.StatusCode)
	require.Equal(t, `"address";r=0;t=1`, second.Header.Get("RateLimit"))
}

func TestZeroRateIsNoLimit(t *testing.T) {
	t.Parallel()
	app := newApp(New(Rate{}, Rate{}, testkit.Noon().Now))
	for range 100 {
		response, _ := answerOf(t, app)
		require.Equal(t, http.StatusNoContent, response.StatusCode)
		require.Empty(t, response.Header.Get("RateLimit-Policy"))
	}
}

func TestAddressesOfOneIPv6HouseholdShareABucket(t *testing.T) {
	t.Parallel()
	limits := New(Rate{PerSecond: 1, Burst: 1}, Rate{}, testkit.Noon().Now)
	header := &fasthttp.ResponseHeader{}
	require.NoError(t, limits.takeAddress(header, netip.MustParseAddr("2001:db8::1")))
	for _, address := range []string{"2001:db8::2", "2001:db8:0:1::2", "2001:db8:0:ff:ffff::"} { // in one /56
		require.Error(t, limits.takeAddress(header, netip.MustParseAddr(address)), address)
	}
	require.NoError(t, limits.takeAddress(header, netip.MustParseAddr("2001:db8:0:100::2")))
}

func TestRatesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Rate{"0": {}, "200/400": {200, 400}, "1/1": {1, 1}, "1000000/1000000": {1_000_000, 1_000_000}} {
		var rate Rate
		require.NoError(t, rate.UnmarshalText([]byte(text)))
		require.Equal(t, want, rate)
		require.Equal(t, text, rate.String())
	}
	for _, text := range []string{"", "1", "/", "1/", "/1", "0/0", "0/5", "5/0", "-1/5", "+1/5", "1/5/6", "1.5/2", "1e3/5", " 1/5", "1000001/1"} {
		var rate Rate
		require.Error(t, rate.UnmarshalText([]byte(text)), text)
		require.Zero(t, rate, text)
	}
}

func FuzzRateThatIsAcceptedCanBeUsedAndWrittenAgain(f *testing.F) {
	for _, text := range []string{"0", "200/400", "1/1", "1000000/1000000", "x", "1/", "-1/2", "٣/٤"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var rate, again Rate
		if rate.UnmarshalText([]byte(text)) != nil || rate == (Rate{}) {
			return
		}
		require.Positive(t, rate.interval())
		require.Positive(t, rate.window())
		require.NoError(t, again.UnmarshalText([]byte(rate.String())))
		require.Equal(t, rate, again)
		require.True(t, newBuckets[int](rate, time.Now).take(1).taken)
	})
}
