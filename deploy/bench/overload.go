package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"oms.internal/libs/pace"

	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/bench/internal/report"
)

const (
	// limited is the rate limit of an address at a gateway with defaults, a second.
	limited  = 500
	overload = 20
)

// overload offers a gateway with the default limits twenty times what they let through. All comes from one address, so its limit is the one
// that counts.
func (b *bench) overload(ctx context.Context) (err error) {
	const what = "overload, 20 × the limit of an instance"
	if !b.wanted(what) {
		return nil
	}
	instance, end, err := b.beside(ctx, "gateway-limited", "gateway", "RATE_LIMIT_ADDRESS=500/1000", "RATE_LIMIT_MEMBER=200/400", "CONNECTIONS_PER_ADDRESS=1000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	lasting := 30 * time.Second
	if b.quick {
		lasting = 8 * time.Second
	}
	var turn atomic.Int64
	unanswered := "none failed"
	answers, err := load.Constant(ctx, overload*limited, lasting, func(target *vegeta.Target) error {
		*target = load.Target(http.MethodGet, instance.URL+"/orders/", b.members.four[int(turn.Add(1))%askers], nil)
		return nil
	}, func(result *vegeta.Result) error {
		if result.Code == 0 {
			unanswered = result.Error
		}
		return nil
	})
	if err != nil {
		return err
	}
	recovery, err := b.recovered(ctx, instance.URL)
	if err != nil {
		return err
	}
	offered := 0
	for status, of := range answers {
		offered += of.Count
		if status != http.StatusOK && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			b.say("overload: %d answers were %d", of.Count, status)
		}
	}
	note := fmt.Sprintf("%d requests were offered in %.0f s, %.0f/s; %d had no answer (the last: %.150s)", offered, lasting.Seconds(), float64(offered)/lasting.Seconds(),
		answers[0].Count, unanswered)
	refused := max(answers[http.StatusTooManyRequests].P99, answers[http.StatusServiceUnavailable].P99, answers[0].P99)
	served := answers[http.StatusOK]
	for _, row := range []report.Row{
		{What: what + ": served", Unit: "/s", Ours: []float64{float64(served.Count) / lasting.Seconds()}, Limit: []float64{limited}, Against: "the limit", Bar: 0.8, Note: note},
		{What: what + ": p99 of the refused", Unit: "ms", Ours: []float64{milliseconds(refused)}, Bar: 50, AtMost: true},
		{What: what + ": p99 of the served", Unit: "ms", Ours: []float64{milliseconds(served.P99)}, Bar: 500, AtMost: true},
		{What: what + ": recovered after", Unit: "s", Ours: []float64{recovery.Seconds()}, Bar: 2, AtMost: true},
	} {
		if float64(offered) < 0.9*overload*limited*lasting.Seconds() {
			row.Wrong = fmt.Sprintf("the generator could offer %.0f/s only", float64(offered)/lasting.Seconds())
		}
		b.add(row)
	}
	return nil
}

// recovered returns how long it takes until ten requests in a row are served in less than 100 ms each.
func (b *bench) recovered(ctx context.Context, url string) (time.Duration, error) {
	began := time.Now()
	alone := &system{System: b.System, url: url}
	var since time.Time
	for good := 0; good < 10; {
		asked := time.Now()
		got, err := alone.send(ctx, request{method: http.MethodGet, path: "/orders/", token: b.members.five})
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case err != nil || got.status != http.StatusOK || time.Since(asked) > 100*time.Millisecond:
			good = 0
		default:
			if good++; good == 1 {
				since = asked
			}
		}
		if time.Since(began) > time.Minute {
			return 0, errors.New("the gateway does not recover")
		}
		if err := pace.Wait(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return since.Sub(began), nil
}
