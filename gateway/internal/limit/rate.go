package limit

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// maxRate bounds both numbers of a Rate.
const maxRate = 1_000_000

// Rate is how many requests a bucket takes: PerSecond in the long run, Burst at once. The zero value takes all.
type Rate struct {
	PerSecond int
	Burst     int
}

// UnmarshalText reads "rate/burst", such as 200/400; "0" stands for no limit.
func (r *Rate) UnmarshalText(text []byte) error {
	*r = Rate{}
	if string(text) == "0" {
		return nil
	}
	perSecond, burst, _ := strings.Cut(string(text), "/")
	var err error
	if r.PerSecond, err = parseCount(perSecond); err == nil {
		r.Burst, err = parseCount(burst)
	}
	if err != nil {
		*r = Rate{}
		return fmt.Errorf("%q: must be requests per second / burst, such as 200/400, or 0", text)
	}
	return nil
}

func parseCount(text string) (int, error) {
	count, err := strconv.ParseUint(text, 10, 32)
	if err == nil && (count == 0 || count > maxRate) {
		err = strconv.ErrRange
	}
	return int(count), err
}

// String is the form that UnmarshalText reads.
func (r Rate) String() string {
	if r == (Rate{}) {
		return "0"
	}
	return fmt.Sprintf("%d/%d", r.PerSecond, r.Burst)
}

// LogValue shows the rate as it was given.
func (r Rate) LogValue() slog.Value { return slog.StringValue(r.String()) }

// interval is how long one request takes to be forgotten.
func (r Rate) interval() time.Duration { return time.Second / time.Duration(r.PerSecond) }

// window is how long an empty bucket takes to be full again.
func (r Rate) window() time.Duration { return r.interval() * time.Duration(r.Burst) }
