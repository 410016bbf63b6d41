package drf

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	barWidth = 30
	redraw   = 200 * time.Millisecond
	speak    = 10 * time.Second
)

// progress tells how far a run is: by a bar on a terminal, and elsewhere by a line every ten seconds.
type progress struct {
	out      io.Writer
	terminal bool
	now      func() time.Time

	what        string
	done, total int
	began, last time.Time
	drawn       bool
}

func newProgress(out io.Writer, now func() time.Time) *progress {
	file, isFile := out.(*os.File)
	made := &progress{out: out, now: now}
	if isFile {
		info, err := file.Stat()
		made.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return made
}

// begin says what is done from now on, and of how many rows.
func (p *progress) begin(what string, total int) {
	p.end()
	p.what, p.done, p.total, p.began = what, 0, total, p.now()
	p.last = p.began
}

func (p *progress) add(rows int) {
	p.done += rows
	interval := speak
	if p.terminal {
		interval = redraw
	}
	if p.done%100 < rows { // not each row asks what time it is
		if now := p.now(); now.Sub(p.last) >= interval {
			p.last = now
			p.tell()
		}
	}
}

func (p *progress) tell() {
	if !p.terminal {
		_, _ = fmt.Fprintln(p.out, p.line())
		return
	}
	filled := barWidth
	if p.total > 0 {
		filled = min(barWidth, barWidth*p.done/p.total)
	}
	bar := strings.Repeat("#", filled) + strings.Repeat(".", barWidth-filled)
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K[%s] %s", bar, p.line())
	p.drawn = true
}

// end removes the bar.
func (p *progress) end() {
	if p.drawn {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) line() string {
	took := p.now().Sub(p.began).Seconds()
	line := fmt.Sprintf("%s: %d of %d", p.what, p.done, p.total)
	if took <= 0 || p.done == 0 {
		return line
	}
	rate := float64(p.done) / took
	left := time.Duration(float64(max(p.total-p.done, 0)) / rate * float64(time.Second))
	return fmt.Sprintf("%s, %.0f a second, %s left", line, rate, left.Round(time.Second))
}
