package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"oms.internal/libs/pace"

	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/bench/internal/report"
)

const (
	// limited is the rate limit of an address, a second. It is less than the default, 500, because the generator shares two cores with the
	// system, and cannot always offer 20 times even this.
	limited  = 400
	overload = 20
	// askingAtOnce is from how many connections it is asked.
	askingAtOnce = 400
)

// overload offers a gateway twenty times what the limit of an address lets through. All comes from one address and one member,
// whose limit is raised, so that the address's counts.
func (b *bench) overload(ctx context.Context) (err error) {
	const what = "overload, 20 × the limit of an instance"
	if !b.wanted(what) {
		return nil
	}
	instance, end, err := b.beside(ctx, "gateway-limited", "gateway", fmt.Sprintf("RATE_LIMIT_ADDRESS=%d/%d", limited, 2*limited), "RATE_LIMIT_MEMBER=1000000/1000000", "CONNECTIONS_PER_ADDRESS=1000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	lasting := 30 * time.Second
	if b.quick {
		lasting = 8 * time.Second
	}
	answers, err := load.H2load(ctx, instance.URL+"/orders/", b.members.five, askingAtOnce, overload*limited/askingAtOnce, lasting)
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
	note := fmt.Sprintf("%d requests were offered in %.0f s, %.0f/s; %d had no answer", offered, lasting.Seconds(), float64(offered)/lasting.Seconds(),
		answers[0].Count)
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
