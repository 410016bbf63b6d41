package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// processRecord is the content of a record file. The pid alone is not enough: after the process has ended, the kernel gives the number
// to another process, which must never be signalled.
type processRecord struct {
	Name        string `json:"name"`
	PID         int    `json:"pid"`
	Identity    string `json:"identity"`
	Log         string `json:"log"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// RecordIn returns the path of the record in a folder that belongs to one process.
func RecordIn(dir string) string { return filepath.Join(dir, "process.json") }

// Find returns the process that a record names, or nil if there is no record or its process has ended.
func Find(record string) (*Process, error) {
	content, err := os.ReadFile(record) // #nosec G304 -- the caller's own file
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // "there is none" is an answer here, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read process record: %w", err)
	}
	var saved processRecord
	if err := json.Unmarshal(content, &saved); err != nil {
		return nil, fmt.Errorf("read process record %s: %w", record, err)
	}
	// The handle is taken before the identity is compared, so that it cannot come to stand for another process later.
	handle, err := os.FindProcess(saved.PID)
	if err != nil {
		return nil, fmt.Errorf("find process %d: %w", saved.PID, err)
	}
	process := &Process{
		name: saved.Name, log: saved.Log, handle: handle, identity: saved.Identity, fingerprint: saved.Fingerprint, record: record,
	}
	if !process.Alive() {
		return nil, nil //nolint:nilnil // as above
	}
	return process, nil
}

func (p *Process) writeRecord() error {
	if p.record == "" {
		return nil
	}
	content, err := json.Marshal(processRecord{
		Name: p.name, PID: p.PID(), Identity: p.identity, Log: p.log, Fingerprint: p.fingerprint,
	})
	if err != nil {
		return fmt.Errorf("encode process record: %w", err)
	}
	if err := os.WriteFile(p.record, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write process record: %w", err)
	}
	return nil
}

func (p *Process) forget() error {
	if p.record == "" {
		return nil
	}
	if err := os.Remove(p.record); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove process record: %w", err)
	}
	return nil
}
