package chaos

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is a line of the table.
type row struct {
	fault      string
	rounds     int
	seconds    float64
	journal    *journal
	verdict    verdict
	recoveries []time.Duration
}

// table shows all rows; README.md says how to read it.
func table(rows []row) string {
	var text strings.Builder
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(out, "fault\trounds\twrites/s\trequests\tfailed\trefused\tgiven up\treplayed\tlost\tdoubled\tstale\tp50\tp95\tmax\t")
	for _, r := range rows {
		j := r.journal
		_, _ = fmt.Fprintf(out, "%s\t%d\t%.0f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", r.fault, r.rounds,
			float64(len(j.acknowledged))/r.seconds, len(j.attempts), j.count(failed), j.count(refused), j.givenUp, j.replayed,
			len(r.verdict.lost), len(r.verdict.doubled), len(r.verdict.stale),
			r.recovery(0.5), r.recovery(0.95), r.recovery(1))
	}
	_ = out.Flush() // a strings.Builder takes everything
	return text.String()
}

// quantile is the smallest time within which that share of the rounds recovered.
func (r row) quantile(share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.recoveries))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(share*float64(len(sorted))+0.999999)-1)]
}

func (r row) recovery(share float64) string {
	if len(r.recoveries) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f s", r.quantile(share).Seconds())
}
