package backup

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// progressPause is how long a command works without saying how far it is.
const progressPause = 5 * time.Second

// progress says every few seconds how much was read or written. Without it nobody can tell a long command from one that hangs.
type progress struct {
	bytes atomic.Int64
	rows  atomic.Int64
}

// show prints lines until stop is called. all is the number of rows that there will be, 0 if nobody knows.
func (p *progress) show(out io.Writer, doing string, all int64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(progressPause)
		defer ticks.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
			}
			of := ""
			if all > 0 {
				of = fmt.Sprintf(" of %d", all)
			}
			_, _ = fmt.Fprintf(out, "%s: %s, %d%s rows so far\n", doing, size(p.bytes.Load()), p.rows.Load(), of)
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
	})
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	const step = 1000
	switch {
	case bytes < step:
		return fmt.Sprintf("%d B", bytes)
	case bytes < step*step:
		return fmt.Sprintf("%.1f kB", float64(bytes)/step)
	case bytes < step*step*step:
		return fmt.Sprintf("%.1f MB", float64(bytes)/step/step)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/step/step/step)
}
