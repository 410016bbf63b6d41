package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Record is how a stack was started last. The commands that look at a running stack go by it, and not by their own environment.
type Record struct {
	Mode    Mode    `json:"mode"`
	Ports   Ports   `json:"ports"`
	Choices Choices `json:"choices,omitempty"`
}

// recordFiles are two files with one content. If one is lost, commands go by the other.
func (s Stack) recordFiles() []string {
	return []string{filepath.Join(s.Data(), "stack.json"), filepath.Join(s.Data(), "run", "stack.json")}
}

// Begin records that a start has begun. Where the database servers and NATS listen changes at once, because commands must find them even if
// the start fails. The rest stays as it was at the last start that succeeded, until Save: what that one started goes on with it.
func (s Stack) Begin(mode Mode) error {
	if last, found, _ := s.Recorded(); found {
		last.Ports.Primary, last.Ports.Replica, last.Ports.NATS = s.Ports.Primary, s.Ports.Replica, s.Ports.NATS
		s.Ports, s.Choices = last.Ports, last.Choices
	}
	return s.Save(mode)
}

// Save records that the stack was started in a mode.
func (s Stack) Save(mode Mode) error {
	content, err := json.MarshalIndent(Record{Mode: mode, Ports: s.Ports, Choices: s.Choices}, "", "  ")
	for _, file := range s.recordFiles() {
		if err == nil {
			err = os.MkdirAll(filepath.Dir(file), 0o700)
		}
		if err == nil {
			err = renameio.WriteFile(file, append(content, '\n'), 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("record how the stack is started: %w", err)
	}
	return nil
}

// Recorded returns how the stack was started last. found is false if it never was, or was cleaned since. The error names the files that
// are damaged, if none of them helps.
func (s Stack) Recorded() (record Record, found bool, err error) {
	var problems []error
	for _, file := range s.recordFiles() {
		record, err := readRecord(file)
		if err == nil {
			return record, true, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			problems = append(problems, fmt.Errorf("%s: %w", file, err))
		}
	}
	return Record{}, false, errors.Join(problems...)
}

func readRecord(file string) (record Record, err error) {
	content, err := os.ReadFile(file) // #nosec G304 -- our own file
	if err == nil {
		err = json.Unmarshal(content, &record)
	}
	if err == nil && record.Mode != Native && record.Mode != Docker {
		err = fmt.Errorf("it names the mode %q", record.Mode)
	}
	for _, port := range record.Ports.List() {
		if err == nil && *port.Number <= 0 {
			err = fmt.Errorf("it names no port of %s", port.Owner)
		}
	}
	return record, err
}
