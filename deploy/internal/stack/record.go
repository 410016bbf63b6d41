package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Record is how a stack was started. The commands that look at a running stack go by it, and not by their own environment.
type Record struct {
	Mode    Mode    `json:"mode"`
	Ports   Ports   `json:"ports"`
	Choices Choices `json:"choices,omitempty"`
}

func (s Stack) recordFile() string { return filepath.Join(s.Data(), "stack.json") }

// Save records that the stack is being started in a mode.
func (s Stack) Save(mode Mode) error {
	content, err := json.MarshalIndent(Record{Mode: mode, Ports: s.Ports, Choices: s.Choices}, "", "  ")
	if err == nil {
		err = os.MkdirAll(s.Data(), 0o700)
	}
	if err == nil {
		err = os.WriteFile(s.recordFile(), append(content, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record how the stack is started: %w", err)
	}
	return nil
}

// Recorded returns how the stack was started last. found is false if it never was, or was cleaned since.
func (s Stack) Recorded() (record Record, found bool, err error) {
	content, err := os.ReadFile(s.recordFile())
	if errors.Is(err, os.ErrNotExist) {
		return Record{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &record)
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("read how the stack was started: %s: %w", s.recordFile(), err)
	}
	return record, true, nil
}
