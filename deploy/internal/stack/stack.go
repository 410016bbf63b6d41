// Package stack says what both ways of running OMS have in common: where files lie, which ports are used, what was
// started last. It starts nothing.
package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Stack is the system of one clone of the repository.
type Stack struct {
	Root    string // of the repository
	Ports   Ports
	Choices Choices
	// Folder holds what is made at run time; "" is .data in Root.
	Folder string
}

// Find returns the stack of the repository that the current directory is in, with the ports and the settings that
// the environment asks for.
func Find(getenv func(string) string) (Stack, error) {
	dir, err := os.Getwd()
	if err != nil {
		return Stack{}, fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "deploy", "compose.yaml")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return Stack{}, errors.New("find the repository: run this command inside it")
		}
		dir = parent
	}
	folder := getenv("OMS_DATA")
	if folder != "" {
		// The processes run in other folders than this one.
		if folder, err = filepath.Abs(folder); err != nil {
			return Stack{}, fmt.Errorf("OMS_DATA: %w", err)
		}
	}
	ports, portsErr := PortsFrom(getenv)
	choices, choicesErr := ChoicesFrom(getenv)
	return Stack{Root: dir, Ports: ports, Choices: choices, Folder: folder}, errors.Join(portsErr, choicesErr)
}

// Data is the folder that holds everything that is made at run time: data, logs, secrets, binaries, records. It is .data
// in the repository unless the environment variable OMS_DATA names another, so that two systems can run side by side.
func (s Stack) Data() string {
	if s.Folder != "" {
		return s.Folder
	}
	return filepath.Join(s.Root, ".data")
}

// Secrets is the folder of the generated secrets.
func (s Stack) Secrets() string { return filepath.Join(s.Data(), "secrets") }

// Record is what `up` remembers for the commands that look at what it started.
type Record struct {
	Mode    Mode    `json:"mode"`
	Ports   Ports   `json:"ports"`
	Choices Choices `json:"choices,omitempty"`
}

func (s Stack) recordFile() string { return filepath.Join(s.Data(), "stack.json") }

// Save remembers how the stack is being started.
func (s Stack) Save(record Record) error {
	content, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("remember the stack: %w", err)
	}
	if err := os.MkdirAll(s.Data(), 0o700); err != nil {
		return fmt.Errorf("remember the stack: %w", err)
	}
	if err := os.WriteFile(s.recordFile(), append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("remember the stack: %w", err)
	}
	return nil
}

// Recorded returns how the stack was started last; found is false if it never was, or was cleaned since.
func (s Stack) Recorded() (record Record, found bool, err error) {
	content, err := os.ReadFile(s.recordFile())
	if errors.Is(err, os.ErrNotExist) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("how the stack was started: %w", err)
	}
	if err := json.Unmarshal(content, &record); err != nil {
		return Record{}, false, fmt.Errorf("how the stack was started: %s: %w", s.recordFile(), err)
	}
	return record, true, nil
}

// Clean removes what is made below Data, and nothing else that may lie there.
func (s Stack) Clean() error {
	for _, name := range []string{"mariadb", "nats", "docker", "run", "logs", "bin", "secrets", filepath.Base(s.recordFile())} {
		if err := os.RemoveAll(filepath.Join(s.Data(), name)); err != nil {
			return fmt.Errorf("remove data: %w", err)
		}
	}
	// The folder goes only if it is empty now, and need not exist.
	_ = os.Remove(s.Data())
	return nil
}
