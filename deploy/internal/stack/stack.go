// Package stack holds what both ways of running OMS have in common: where files lie, which ports are used, which settings were
// chosen, and how the system was started last. It starts nothing, and must not import the packages that do.
package stack

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Stack is the system of one clone of the repository.
type Stack struct {
	Root    string // of the repository
	Ports   Ports
	Choices Choices
	// Folder holds everything that is made at run time. "" means .data in Root.
	Folder string
}

// Lookup returns a variable of an environment, and whether it is set, as os.LookupEnv does. It is set to "" to say: the default.
type Lookup func(name string) (value string, set bool)

// Find returns the stack of the repository that the current folder is in, with the ports and the settings that the environment asks for.
// What it does not name stays as it was at the last start, so that nobody loses a setting who does not know it.
func Find(lookup Lookup) (Stack, error) {
	root, err := findRoot()
	if err != nil {
		return Stack{}, fmt.Errorf("find the repository: %w", err)
	}
	folder, _ := lookup("OMS_DATA")
	if folder != "" {
		// The path becomes absolute, because the processes run in other folders.
		if folder, err = filepath.Abs(folder); err != nil {
			return Stack{}, fmt.Errorf("OMS_DATA: %w", err)
		}
	}
	s := Stack{Root: root, Folder: folder}
	last, _, _ := s.Recorded() // `up` says it if that is damaged
	var portsErr, choicesErr error
	s.Ports, portsErr = PortsFrom(lookup, last.Ports)
	s.Choices, choicesErr = ChoicesFrom(lookup, last.Choices)
	return s, errors.Join(portsErr, choicesErr)
}

// Kept returns what an environment does not name, and what is not at its default because of the last start ("NAME=value").
func (s Stack) Kept(lookup Lookup) (settings []string) {
	keep := func(name, value string) {
		if _, named := lookup(name); !named {
			settings = append(settings, name+"="+value)
		}
	}
	for _, port := range s.Ports.List() {
		if *port.Number != port.Default {
			keep(port.Variable, strconv.Itoa(*port.Number))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Choices)) {
		keep(name, s.Choices[name])
	}
	return settings
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
