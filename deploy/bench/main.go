// Command bench measures a whole system of its own against what the same machine can do, in one run, and prints the ratios. README.md says
// what is measured against what.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"oms.internal/servers/packages"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/bench/internal/plot"
	"oms.internal/deploy/bench/internal/report"
)

// options are the command line.
type options struct {
	quick   bool
	growth  bool
	profile string
	data    string
	results string
	only    *regexp.Regexp
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.quick, "quick", false, "small data and two short repetitions, to see that each row works")
	flags.BoolVar(&o.growth, "growth", false, "compare small data with large, and nothing else")
	flags.StringVar(&o.profile, "profile", "", "profile the services under load on this route (\"GET /orders/\") and measure nothing")
	flags.StringVar(&o.data, "data", filepath.Join(".data", "bench"), "the folder of the systems, kept for the next run")
	flags.StringVar(&o.results, "results", "", "the folder of the results; after a full run deploy/bench or growth in it, else one in -data")
	only := flags.String("only", "", "measure only rows that match")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	if o.data, err = filepath.Abs(o.data); err != nil {
		return o, err
	}
	if o.results == "" {
		switch {
		case o.quick || *only != "":
			o.results = filepath.Join(o.data, "results")
		case o.growth:
			o.results = filepath.Join("deploy", "bench", "growth")
		default:
			o.results = filepath.Join("deploy", "bench")
		}
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) (ok bool, err error) {
	o, err := parse(args)
	if err != nil {
		return false, err
	}
	say := func(step string) { _, _ = fmt.Fprintln(out, step) }
	if err := errors.Join(packages.Install(ctx, say, "wrk", "wrk"), packages.Install(ctx, say, "nginx", "nginx"),
		packages.Install(ctx, say, "h2load", "nghttp2-client")); err != nil {
		return false, err
	}
	began := time.Now()
	size := dataset.Size{Members: 200_000, Orders: 1_000_000}
	if o.quick {
		size = dataset.Size{Members: 10_000, Orders: 50_000}
	}
	b := &bench{only: o.only, out: out, quick: o.quick, repeat: 5, lasting: 4 * time.Second, report: report.Report{
		Date: began.UTC().Format(time.DateOnly), Commit: commit(ctx), Machine: machine(), Quick: o.quick, Members: size.Members, Orders: size.Orders,
	}}
	if o.quick {
		b.repeat, b.lasting = 2, time.Second
	}
	switch {
	case o.profile != "":
		return true, b.profile(ctx, o, size)
	case o.growth:
		err = b.growth(ctx, o)
	default:
		err = b.all(ctx, o, size)
	}
	if err != nil {
		return false, err
	}
	if err := errors.Join(b.report.Print(out), b.report.Write(o.results), plot.Draw(b.report, o.results)); err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(out, "results are in %s; it took %.0f s\n", o.results, time.Since(began).Seconds())
	return b.report.OK(), err
}

// all measures every row on one system. What needs a system at rest comes first.
func (b *bench) all(ctx context.Context, o options, size dataset.Size) (err error) {
	b.system, err = open(ctx, filepath.Join(o.data, size.String()), size, b.out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, part := range []func(context.Context) error{
		b.atRest, b.starts, b.logIn, b.gateway, b.reads, b.searches, b.pages, b.writes, b.logins, b.latencies, b.curves, b.overload, b.memory,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commit names what is measured; a "+" says that it was changed since.
func commit(ctx context.Context) string {
	name, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
	if err != nil || len(changed) > 0 {
		return strings.TrimSpace(string(name)) + "+"
	}
	return strings.TrimSpace(string(name))
}

var modelName = regexp.MustCompile(`(?m)^model name\s*: (.+)$`)

// machine names the processor and how many cores it has.
func machine() string {
	model := runtime.GOARCH
	if content, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if found := modelName.FindSubmatch(content); found != nil {
			model = string(found[1])
		}
	}
	return fmt.Sprintf("%d cores of %s", runtime.NumCPU(), model)
}
