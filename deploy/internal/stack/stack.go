// Package stack holds what both ways of running OMS have in common: where files lie, which ports are used, which settings were
// chosen, and how the system was started last. It starts nothing, and must not import the packages that do.
package stack

import (
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
	// Folder holds everything that is made at run time. "" means .data in Root.
	Folder string
}

// Find returns the stack of the repository that the current folder is in, with the ports and the settings that the environment asks
// for.
func Find(getenv func(string) string) (Stack, error) {
	root, err := findRoot()
	if err != nil {
		return Stack{}, fmt.Errorf("find the repository: %w", err)
	}
	folder := getenv("OMS_DATA")
	if folder != "" {
		// The path becomes absolute, because the processes run in other folders.
		if folder, err = filepath.Abs(folder); err != nil {
			return Stack{}, fmt.Errorf("OMS_DATA: %w", err)
		}
	}
	ports, portsErr := PortsFrom(getenv)
	choices, choicesErr := ChoicesFrom(getenv)
	return Stack{Root: root, Ports: ports, Choices: choices, Folder: folder}, errors.Join(portsErr, choicesErr)
}

func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "deploy", "compose.yaml")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this command inside it")
		}
		dir = parent
	}
}

// Data is the folder of everything that is made at run time: data, logs, secrets, binaries, records. It is .data in the repository,
// unless the environment variable OMS_DATA names another folder, so that two systems can run side by side.
func (s Stack) Data() string {
	if s.Folder != "" {
		return s.Folder
	}
	return filepath.Join(s.Root, ".data")
}

// Secrets is the folder of the generated secrets.
func (s Stack) Secrets() string { return filepath.Join(s.Data(), "secrets") }

// Clean removes what the stack made below Data, and leaves other files there.
func (s Stack) Clean() error {
	for _, name := range []string{"mariadb", "nats", "docker", "run", "logs", "bin", "secrets", "stack.json", filepath.Base(s.lockFile())} {
		if err := os.RemoveAll(filepath.Join(s.Data(), name)); err != nil {
			return fmt.Errorf("remove data: %w", err)
		}
	}
	// This fails if the folder is not empty, or is not there; both are fine.
	_ = os.Remove(s.Data())
	return nil
}
