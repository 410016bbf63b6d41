// Package backup writes all data of OMS into a file and restores it. A backup is SQL: both schemas at one moment, with the GTID position
// of that moment. Database users are not in it, because every start makes them. Secrets are not in it either.
package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oms.internal/servers/dbpair"
)

// schemas are those of the services.
var schemas = []string{"accounts", "orders"}

// header begins a backup's first line. The engine follows, because one engine cannot load the SQL of the other.
const header = "-- OMS backup of "

// Write makes a backup. The file gets its name when it is complete. Only its owner may read it, because it holds password hashes and
// people's data.
func Write(ctx context.Context, pair *dbpair.Pair, path string, out io.Writer) error {
	return writeSchemas(ctx, pair, path, schemas, out)
}

func writeSchemas(ctx context.Context, pair *dbpair.Pair, path string, schemas []string, out io.Writer) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".oms-backup-*") // 0600
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("backup: %w", err), os.Remove(file.Name()))
		}
	}()
	if _, err := fmt.Fprintf(file, "%s%s, %s\n", header, pair.Engine(), time.Now().UTC().Format(time.RFC3339)); err != nil {
		return errors.Join(err, file.Close())
	}
	_, _ = fmt.Fprintf(out, "reading %s from %s\n", strings.Join(schemas, " and "), pair.Primary.Addr())
	err = pair.Dump(ctx, file, schemas...)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d bytes\n", path, info.Size())
	return err
}

// open opens a file that is a complete backup of this engine.
func open(path string, engine dbpair.Engine) (*os.File, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, err
	}
	if err := check(file, engine); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return file, nil
}

func check(file *os.File, engine dbpair.Engine) error {
	first, err := bufio.NewReader(file).ReadString('\n')
	if err != nil || !strings.HasPrefix(first, header) {
		return errors.New("this is not a backup of OMS")
	}
	if of, _, _ := strings.Cut(strings.TrimPrefix(first, header), ","); of != string(engine) {
		return fmt.Errorf("this is a backup of %s, but the servers here are %s", of, engine)
	}
	end := make([]byte, len(dbpair.DumpEnd))
	if _, err := file.Seek(-int64(len(end)), io.SeekEnd); err != nil {
		return err
	}
	if _, err := io.ReadFull(file, end); err != nil {
		return err
	}
	if string(end) != dbpair.DumpEnd {
		return errors.New("the end of the backup is missing")
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
