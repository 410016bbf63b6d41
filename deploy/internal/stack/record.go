package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Record is how a stack was started. The commands that look at a running stack go by it, and not by their own environment.
type Record struct {
	Mode    Mode    `json:"mode"`
	Ports   Ports   `json:"ports"`
	Choices Choices `json:"choices,omitempty"`
}

// recordFiles are two files with one content. If one is lost, commands go by the other.
func (s Stack) recordFiles() []string {
	return []string{filepath.Join(s.Data(), "stack.json"), filepath.Join(s.Data(), "run", "stack.json")}
}

// Save records that the stack is being started in a mode.
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
