package dbpair

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"oms.internal/servers/proc"
)

// Revive starts those servers of a detached pair again that ended although nobody had asked them to, as a crash ends them, and for which
// due is true. Each comes back in the role that is recorded for it. Revive does not wait until they answer. It promotes nobody: a promotion
// gives up what the other server has alone.
//
// The replica is started only while the primary answers. A replica that starts forgets what it had received and not applied, and wants it
// from the primary again. Without the primary this may be the only copy, so then it waits for a failover.
func (p *Pair) Revive(ctx context.Context, due func(command proc.Command, started time.Time) bool) (revived []*Server, err error) {
	for _, server := range []*Server{p.Primary, p.Replica} {
		process, local := server.instance.(*mariadbProcess)
		if !local || !process.detached {
			return nil, errors.New("only servers of a detached pair can be started again")
		}
		command, started, ended, err := proc.Ended(proc.RecordIn(process.dir))
		if err != nil {
			return revived, err
		}
		if !ended || !due(command, started) || server == p.Replica && p.Primary.ping(ctx) != nil {
			continue
		}
		// A start would make an empty server.
		if _, err := os.Stat(filepath.Join(process.dir, "data")); err != nil {
			return revived, fmt.Errorf("%s has ended and its data is away: %w", server, err)
		}
		process.restarts = command.Restarts + 1
		if err := process.start(ctx); err != nil {
			return revived, err
		}
		revived = append(revived, server)
	}
	return revived, nil
}

// Restarts is how often a server of a detached pair was started again since somebody wanted it started.
func (s *Server) Restarts() int {
	if process, local := s.instance.(*mariadbProcess); local {
		return process.restarts
	}
	return 0
}
