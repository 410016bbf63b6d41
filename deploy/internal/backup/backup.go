// Package backup writes all data of OMS into a file, verifies such a file, and restores it. A backup is SQL: both schemas at one moment,
// with the GTID position of that moment, and at the end what the file must hold. Database users are not in it, because every start makes
// them. Secrets are not in it either.
package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"oms.internal/servers/dbpair"
)

// schemas are those of the services.
var schemas = []string{"accounts", "orders"}

// Write makes a backup, which is compressed if the name ends in ".gz". The file gets its name when it is complete. Only its owner may
// read it, because it holds password hashes and people's data.
func Write(ctx context.Context, pair *dbpair.Pair, path string, out io.Writer) error {
	if err := writeFile(ctx, pair, path, schemas, out); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func writeFile(ctx context.Context, pair *dbpair.Pair, path string, schemas []string, out io.Writer) (err error) {
	folder := filepath.Dir(path)
	if err := removeUnfinished(folder); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, unfinished+"*") // 0600
	if problem, ok := errors.AsType[*os.PathError](err); ok {
		return &os.PathError{Op: "create", Path: path, Err: problem.Err} // the name of the temporary file would tell nobody anything
	} else if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	inUse(file)
	// Another backup that begins just now may have taken it for one that was left.
	if _, err := os.Stat(file.Name()); err != nil {
		return errors.Join(err, file.Close())
	}
	done := &progress{}
	err = write(ctx, pair, file, strings.HasSuffix(path, ".gz"), schemas, done, out)
	if err := errors.Join(err, file.Close()); errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk that is to hold %s is full after %s; nothing of the backup was kept", path, size(done.bytes.Load()))
	} else if err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	if err := syncFolder(folder); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s, %d rows\n", path, size(info.Size()), done.rows.Load())
	return err
}

// unfinished begins the name of a backup until it is complete.
const unfinished = ".oms-backup-"

// inUse marks a file until it is closed, or its process ends, however that ends. It reports whether nobody else has marked it. Where the file
// system has no locks, nobody can say, and nothing is removed.
func inUse(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// removeUnfinished removes what backups left that were killed, and leaves those that are being made.
func removeUnfinished(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil //nolint:nilerr // the backup itself will fail at this folder, or need not read it
	}
	var problems []error
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), unfinished) {
			continue
		}
		file, err := os.Open(filepath.Join(folder, entry.Name())) // #nosec G304 -- a file of an earlier backup
		if err != nil {
			continue // it was completed meanwhile, or is another user's
		}
		if inUse(file) {
			problems = append(problems, os.Remove(file.Name()))
		}
		problems = append(problems, file.Close())
	}
	return errors.Join(problems...)
}

// syncFolder makes the name of a file outlast a crash of the machine, where the file system can promise that.
func syncFolder(path string) error {
	folder, err := os.Open(path) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return errors.Join(err, folder.Close())
	}
	return folder.Close()
}

// write writes a whole backup into a file.
func write(
	ctx context.Context, pair *dbpair.Pair, file *os.File, compressed bool, schemas []string, done *progress, out io.Writer,
) error {
	db, err := pair.Primary.OpenRoot()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // only read from
	is := Contents{Made: time.Now().UTC().Truncate(time.Second), Engine: pair.Engine()}
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&is.Server); err != nil {
		return err
	}
	if is.Migrations, err = versions(ctx, db, ""); err != nil {
		return err
	}
	const buffer = 1 << 20
	buffered := bufio.NewWriterSize(file, buffer)
	packed := io.WriteCloser(flushing{buffered})
	if compressed {
		packed = gzip.NewWriter(buffered)
	}
	sealed := newSealing(packed, done)
	if _, err := fmt.Fprintf(sealed, "%s%s, %s\n", header, is.Engine, is.Made.Format(time.RFC3339)); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "reading %s from %s\n", strings.Join(schemas, " and "), pair.Primary.Addr())
	stop := done.show(out, "reading", 0)
	defer stop()
	if err := pair.Dump(ctx, sealed, schemas...); err != nil {
		return err
	}
	after, err := versions(ctx, db, "")
	if err != nil {
		return err
	}
	if !maps.Equal(is.Migrations, after) {
		return errors.New("the tables were migrated meanwhile; make the backup again")
	}
	return errors.Join(sealed.seal(is), packed.Close(), buffered.Flush(), file.Sync())
}

// flushing is a buffer that is flushed where a compressor would be closed.
type flushing struct{ *bufio.Writer }

func (f flushing) Close() error { return f.Flush() }
