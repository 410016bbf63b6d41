package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"oms.internal/deploy/bench/internal/report"
)

// bench is one run: a system, how it is measured, and what came of it.
type bench struct {
	*system

	only    *regexp.Regexp
	out     io.Writer
	quick   bool
	repeat  int
	lasting time.Duration
	report  report.Report

	members members
	// rates are the highest rates of requests, for what is measured at half of them.
	rates map[string]float64
}

// measure measures one repetition.
type measure func(ctx context.Context) (float64, error)

// wanted reports whether a row is to be measured.
func (b *bench) wanted(what string) bool { return b.only.MatchString(what) }

func (b *bench) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(b.out, format+"\n", arguments...)
}

// add adds a row that was measured, and says it.
func (b *bench) add(row report.Row) {
	b.report.Rows = append(b.report.Rows, row)
	b.say("%-60s %10.2f  %s", row.What, row.Value(), row.Verdict())
}

// wrong adds a row that has no figures because of an error. Others are still measured, unless the run is to end.
func (b *bench) wrong(ctx context.Context, row report.Row, err error) error {
	if ctx.Err() != nil {
		return err
	}
	row.Wrong = strings.NewReplacer("\n", " ", "|", "/").Replace(fmt.Sprintf("%.200s", err.Error()))
	b.add(row)
	return nil
}

// compare measures ours and the limit in turn, so that what else the machine does meets both. Each has one repetition before, which does
// not count, so that caches and connections are as they are under load.
func (b *bench) compare(ctx context.Context, row report.Row, ours, limit measure) error {
	if !b.wanted(row.What) {
		return nil
	}
	row.Unit = "/s"
	for i := -1; i < b.repeat; i++ {
		our, err := ours(ctx)
		if err != nil {
			return b.wrong(ctx, row, err)
		}
		its, err := limit(ctx)
		if err != nil {
			return b.wrong(ctx, row, fmt.Errorf("%s: %w", row.Against, err))
		}
		if i >= 0 {
			row.Ours, row.Limit = append(row.Ours, our), append(row.Limit, its)
		}
	}
	if b.rates == nil {
		b.rates = map[string]float64{}
	}
	b.rates[row.What] = report.Median(row.Ours)
	b.add(row)
	return nil
}
