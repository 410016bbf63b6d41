package drf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"oms.internal/libs/command"
)

// Incomplete is the exit code of a run that took all but some rows, which it has named.
const Incomplete = 3

// Options are what an operator asks of a run.
type Options struct {
	Source, SourceFile string
	DryRun             bool
	// Out is where it is told what became of the rows, and Progress how far the run is.
	Out      io.Writer
	Progress io.Writer
	Now      func() time.Time
}

// Command returns the command import-drf.
func Command(about string, options *Options, run func(at *cobra.Command, args []string) error) *cobra.Command {
	made := command.New("import-drf", about, 0, run)
	made.Long = about + `

It reads the source in one read-only transaction that locks nothing, so drf-oms may go on. Run again, it brings what is new, changed or gone
since. A row that was changed here since is not overwritten. Each row that cannot be taken is named with its reason. A run that ended
early is run again. Exit codes: 0 all is here, 3 some rows could not be taken, 1 failed, 2 asked wrongly.`
	flags := made.Flags()
	flags.StringVar(&options.Source, "source", "", "the database of drf-oms: user:password@tcp(host:3306)/database")
	flags.StringVar(&options.SourceFile, "source-file", "", "a file that holds what --source says, so that no list of processes shows the password")
	flags.BoolVar(&options.DryRun, "dry-run", false, "change nothing, and say what would be done")
	return made
}

func (o Options) dsn() (string, error) {
	if (o.Source == "") == (o.SourceFile == "") {
		return "", command.Exit(command.Misused, errors.New("one of --source and --source-file is needed; see --help"))
	}
	if o.SourceFile == "" {
		return o.Source, nil
	}
	content, err := os.ReadFile(o.SourceFile)
	return strings.TrimSpace(string(content)), err
}

// Step is a Table.
type Step interface {
	compare(ctx context.Context, source *Source, progress *progress) error
	apply(ctx context.Context, report *report) error
	close() error
}

// Run brings tables to what the source has. All are read at the same moment.
func Run(ctx context.Context, options Options, steps ...Step) (err error) {
	defer func() {
		for _, step := range steps {
			err = errors.Join(err, step.close())
		}
	}()
	report := &report{Options: options, progress: newProgress(options.Progress, options.Now)}
	if err := compare(ctx, options, report.progress, steps); err != nil {
		return interrupted(ctx, err)
	}
	for _, step := range steps {
		if err := step.apply(ctx, report); err != nil {
			return interrupted(ctx, err)
		}
	}
	if report.refused > 0 {
		return command.Exit(Incomplete, fmt.Errorf("%d rows were not taken; each is named above with its reason", report.refused))
	}
	return nil
}

// interrupted is the error of a run that somebody ended.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; run it again, and it goes on")
	}
	return err
}

func compare(ctx context.Context, options Options, progress *progress, steps []Step) (err error) {
	dsn, err := options.dsn()
	if err != nil {
		return err
	}
	source, err := Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	for _, step := range steps {
		if err := step.compare(ctx, source, progress); err != nil {
			return err
		}
	}
	progress.end()
	return nil
}

// report tells an operator what becomes of the rows.
type report struct {
	Options
	progress *progress
	refused  int
}

func (r *report) refuse(name string, refusals ...Refusal) error {
	if len(refusals) == 0 {
		return nil
	}
	r.progress.end()
	r.refused += len(refusals)
	var text strings.Builder
	for _, refusal := range refusals {
		_, _ = fmt.Fprintf(&text, "%s %s: %s\n", name, refusal.Key, refusal.Reason)
	}
	_, err := io.WriteString(r.Out, text.String())
	return err
}

// sum tells what became of a table.
func (r *report) sum(name string, total Result, refused, expired int) error {
	r.progress.end()
	line := fmt.Sprintf("%ss: %d new, %d changed, %d gone, %d not taken", name, total.New, total.Changed, total.Gone, refused)
	if expired > 0 {
		line += fmt.Sprintf(", %d expired and left out", expired)
	}
	if total.Waiting > 0 {
		line += fmt.Sprintf(", %d of them only once their member is here", total.Waiting)
	}
	if r.DryRun {
		line += "; this was a dry run, and nothing was changed"
	}
	_, err := fmt.Fprintln(r.Out, line)
	return err
}
