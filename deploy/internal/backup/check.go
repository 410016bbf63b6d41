package backup

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// Check verifies a file, without any server, and prints what is in it.
func Check(ctx context.Context, path string, out io.Writer) error {
	is, err := verify(ctx, path, out)
	if err != nil {
		return fmt.Errorf("backup-check: %w", err)
	}
	_, _ = fmt.Fprintf(out, "%s: made %s from %s %s\n", path, is.Made.Format(time.RFC3339), is.Engine, is.Server)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(table, "TABLE\tROWS\t\n")
	for _, name := range slices.Sorted(maps.Keys(is.Rows)) {
		_, _ = fmt.Fprintf(table, "%s\t%d\t\n", name, is.Rows[name])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !is.Sealed {
		return fmt.Errorf("backup-check: %s: %w", path, ErrUnsealed)
	}
	for _, schema := range slices.Sorted(maps.Keys(is.Migrations)) {
		_, _ = fmt.Fprintf(out, "%s is at migration %d\n", schema, is.Migrations[schema])
	}
	if err := refuseNewer(is.Migrations); err != nil {
		return fmt.Errorf("backup-check: %s: %w", path, err)
	}
	_, err = fmt.Fprintf(out, "the file is whole: %d rows, and its SHA-256 is right\n", is.total())
	return err
}

// verify reads a whole file.
func verify(ctx context.Context, path string, out io.Writer) (Contents, error) {
	done := &progress{}
	stop := done.show(out, "verifying", 0)
	defer stop()
	return readFile(ctx, path, io.Discard, done, nil)
}
