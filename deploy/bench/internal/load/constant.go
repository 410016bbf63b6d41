package load

import (
	"context"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Answers are those with one status.
type Answers struct {
	Count int
	P50   time.Duration
	P99   time.Duration
}

// Constant offers requests at a rate that does not wait for answers, so that a slow answer delays no later request and hides none
// (no coordinated omission). It returns the answers by their status; 0 stands for none. note sees each answer; it may be nil.
func Constant(
	ctx context.Context, rate float64, lasting time.Duration, next vegeta.Targeter, note func(*vegeta.Result) error,
) (map[int]Answers, error) {
	attacker := vegeta.NewAttacker(vegeta.Timeout(10*time.Second), vegeta.KeepAlive(true), vegeta.HTTP2(false))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	// The rate is per minute, because it need not be a whole number a second.
	pace := vegeta.Rate{Freq: max(1, int(rate*60)), Per: time.Minute}
	took := map[int][]time.Duration{}
	var problem error
	for result := range attacker.Attack(next, pace, lasting, "") {
		took[int(result.Code)] = append(took[int(result.Code)], result.Latency)
		if note != nil && problem == nil {
			if problem = note(result); problem != nil {
				attacker.Stop()
			}
		}
	}
	if problem == nil {
		problem = ctx.Err()
	}
	return summarize(took), problem
}

// percentile returns the smallest time that so many of a hundred do not exceed. times are sorted, and there is one.
func percentile(times []time.Duration, percent int) time.Duration {
	return times[max(0, (len(times)*percent+99)/100-1)]
}

// Target returns a request for Constant.
func Target(method, url, token string, body []byte) vegeta.Target {
	header := http.Header{"Authorization": {"Token " + token}}
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	return vegeta.Target{Method: method, URL: url, Header: header, Body: body}
}
