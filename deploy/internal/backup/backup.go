// Package backup writes all data of OMS into a file and brings it back: both schemas as they were at one moment, as SQL, with
// the position (GTID) of that moment. Users are not in it, because every start makes them; nor are the secrets.
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

// header is a backup's first line, with the engine: the SQL of one is not that of the other.
const header = "-- OMS backup of "

// Write makes a backup. The file takes its name when it is complete. Passwords' hashes and people's data are in it, so it is
// for its owner only.
func Write(ctx context.Context, pair *dbpair.Pair, path string, out io.Writer) error {
	return writeSchemas(ctx, pair, path, schemas, out)
}

func writeSchemas(ctx context.Context, pair *dbpair.Pair, path string, schemas []string, out io.Writer) (err error) {
	engine, err := engineOf(ctx, pair.Primary)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".oms-backup-*") // 0600
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("backup: %w", err), os.Remove(file.Name()))
		}
	}()
	if _, err := fmt.Fprintf(file, "%s%s, %s\n", header, engine, time.Now().UTC().Format(time.RFC3339)); err != nil {
		return errors.Join(err, file.Close())
	}
	say := func(line string) { _, _ = fmt.Fprintln(out, line) }
	say("reading " + strings.Join(schemas, " and ") + " from " + pair.Primary.Addr())
	err = pair.Primary.Dump(ctx, file, say, schemas...)
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

func engineOf(ctx context.Context, server *dbpair.Server) (dbpair.Engine, error) {
	db, err := server.OpenRoot()
	if err != nil {
		return "", err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	var version string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return "", err
	}
	if strings.Contains(version, "MariaDB") {
		return dbpair.MariaDB, nil
	}
	return dbpair.MySQL, nil
}

// open checks that a file is a whole backup of this engine and returns it at its beginning.
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
		return errors.New("this is no backup of OMS")
	}
	if of, _, _ := strings.Cut(strings.TrimPrefix(first, header), ","); of != string(engine) {
		return fmt.Errorf("this is a backup of %s, and here is %s", of, engine)
	}
	end := make([]byte, len(dbpair.DumpEnd))
	if _, err := file.Seek(-int64(len(end)), io.SeekEnd); err != nil {
		return err
	}
	if _, err := io.ReadFull(file, end); err != nil {
		return err
	}
	if string(end) != dbpair.DumpEnd {
		return errors.New("the end is missing")
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
