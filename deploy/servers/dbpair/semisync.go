package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// semiSyncTimeout is how many milliseconds a commit waits for the replica before the primary goes on without it.
const semiSyncTimeout = 1000

// withoutSemiSyncWait calls do, in which servers commit before their replica follows. The first such commit on each server, also on the
// replica, would wait for its whole second. So a server that no replica acknowledges waits for a millisecond only, until do
// has returned. Then every server gets its second back, because an earlier start may have been killed in between.
func (p *Pair) withoutSemiSyncWait(ctx context.Context, servers []*Server, do func() error) (err error) {
	words := p.engine.words()
	for _, server := range servers {
		defer func() {
			ctx := context.WithoutCancel(ctx)
			err = errors.Join(err, server.exec(ctx, fmt.Sprintf("SET GLOBAL %s = %d", words.semiSyncTimeout, semiSyncTimeout)))
		}()
		count, countErr := server.statusNumber(ctx, words.semiSyncClients)
		if countErr != nil {
			return countErr
		}
		if count > 0 {
			continue
		}
		if err := server.exec(ctx, "SET GLOBAL "+words.semiSyncTimeout+" = 1"); err != nil {
			return err
		}
	}
	return do()
}

// status returns the value of a status variable.
func (s *Server) status(ctx context.Context, name string) (value string, err error) {
	err = s.asRoot(func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&name, &value)
	})
	return value, err
}

// statusNumber returns the value of a status variable that is a number.
func (s *Server) statusNumber(ctx context.Context, name string) (int, error) {
	value, err := s.status(ctx, name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(value)
}
