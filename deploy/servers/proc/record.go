package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// processRecord is the content of a record file. The pid alone is not enough: after the process has ended, the kernel gives the number
// to another process, which must never be signalled.
type processRecord struct {
	Command

	PID      int       `json:"pid"`
	Identity string    `json:"identity"`
	Started  time.Time `json:"started"`
	// Ending says that somebody has asked the process to end. It may take its time, and whoever asked may not live to see it.
	Ending bool `json:"ending,omitempty"`
}

// RecordIn returns the path of the record in a folder that belongs to one process.
func RecordIn(dir string) string { return filepath.Join(dir, "process.json") }

// marker is the variable in the environment of each detached process that holds its command but for the environment. A process is
// found by it where its record is gone or damaged, or where its start was interrupted before the record was written.
const marker = "OMS_PROCESS"

func withoutMarker(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(entry string) bool { return strings.HasPrefix(entry, marker+"=") })
}

// marked returns the environment of the process of a command.
func (c Command) marked() ([]string, error) {
	environment := withoutMarker(c.Env)
	if c.Record == "" {
		return environment, nil
	}
	c.Env = nil
	content, err := json.Marshal(c)
	return append(environment, marker+"="+string(content)), err
}

// unmarked returns the command that a process with this environment was started with.
func unmarked(environment []string) (command Command, found bool) {
	for _, entry := range environment {
		if content, marks := strings.CutPrefix(entry, marker+"="); marks && json.Unmarshal([]byte(content), &command) == nil {
			command.Env = withoutMarker(environment)
			return command, true
		}
	}
	return Command{}, false
}

// Find returns the process that a record names, or nil if that has ended. If the record does not help, because it is gone, damaged or
// older than the process, the process is searched among all that run.
func Find(record string) (*Process, error) {
	saved, err := readRecord(record)
	if err == nil {
		if process := saved.process(); process.Alive() {
			return process, nil
		}
	}
	all, searchErr := search(record)
	switch {
	case searchErr != nil:
		return nil, errors.Join(err, searchErr)
	case len(all) > 0:
		return all[0], nil
	case !searchable && err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w; end its process by hand and remove the file", err)
	default:
		return nil, nil //nolint:nilnil // "there is none" is an answer here, not an error
	}
}

// Others returns the processes that were started for a record, but for one. An interrupted command leaves such processes.
func Others(record string, one *Process) ([]*Process, error) {
	all, err := search(record)
	return slices.DeleteFunc(all, func(process *Process) bool { return process.is(one) }), err
}

func (p *Process) is(other *Process) bool {
	return p != nil && other != nil && p.PID() == other.PID() && p.identity == other.identity
}

// Forget removes the record of a process that has ended, so that nobody takes it for one that is to be started again.
func Forget(record string) error {
	if err := os.Remove(record); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove process record: %w", err)
	}
	return nil
}

// Ended returns the command of a process that has ended although nobody here asked it to: its record is still there, and does not say
// so. It also returns when the process was started.
func Ended(record string) (command Command, started time.Time, ended bool, err error) {
	saved, err := readRecord(record)
	if errors.Is(err, os.ErrNotExist) {
		return Command{}, time.Time{}, false, nil
	}
	if err != nil {
		return Command{}, time.Time{}, false, err
	}
	running, err := Find(record)
	return saved.Command, saved.Started, running == nil && saved.Path != "" && !saved.Ending, err
}

func readRecord(record string) (saved processRecord, err error) {
	content, err := os.ReadFile(record) // #nosec G304 -- the caller's own file
	if err == nil {
		err = json.Unmarshal(content, &saved)
	}
	if err == nil && (saved.PID <= 0 || saved.Identity == "") {
		err = errors.New("it names no process")
	}
	if err != nil {
		return processRecord{}, fmt.Errorf("process record %s: %w", record, err)
	}
	saved.Record = record
	return saved, nil
}

func (saved processRecord) process() *Process {
	// The handle is taken before the identity is compared, so that it cannot come to stand for another process later.
	handle, err := os.FindProcess(saved.PID)
	if err != nil {
		return nil
	}
	return &Process{command: saved.Command, handle: handle, identity: saved.Identity, started: saved.Started, ending: saved.Ending}
}

func (p *Process) writeRecord() error {
	if p.command.Record == "" {
		return nil
	}
	content, err := json.Marshal(processRecord{
		Command: p.command, PID: p.PID(), Identity: p.identity, Started: p.started, Ending: p.ending,
	})
	if err != nil {
		return fmt.Errorf("encode process record: %w", err)
	}
	if err := renameio.WriteFile(p.command.Record, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write process record: %w", err)
	}
	return nil
}

// remember writes the record of a running process anew, if it is gone or damaged.
func (p *Process) remember() error {
	if saved, err := readRecord(p.command.Record); err == nil && saved.process().is(p) {
		return nil
	}
	return p.writeRecord()
}

// noteEnding writes into the record that the process is to end, unless the record names another process. Where that cannot be written, as on
// a full disk, the record is removed, which also says that the process did not end by itself.
func (p *Process) noteEnding() error {
	if p.command.Record == "" || p.recordsAnother() {
		return nil
	}
	p.ending = true
	if p.writeRecord() == nil {
		return nil
	}
	return Forget(p.command.Record)
}

// forget removes the record, unless it names another process.
func (p *Process) forget() error {
	if p.command.Record == "" || p.recordsAnother() {
		return nil
	}
	return Forget(p.command.Record)
}

func (p *Process) recordsAnother() bool {
	saved, err := readRecord(p.command.Record)
	return err == nil && !saved.process().is(p)
}
