package proc

import (
	"os/exec"
	"sync"
)

// startBound starts a child that dies with this process. The kernel binds a child to the *thread* that forked it, and Go ends
// threads when it likes. So one goroutine, locked to its thread for ever, does all of the forking.
func startBound(cmd *exec.Cmd) error {
	forker.Do(func() { go forkForEver() })
	result := make(chan error)
	forks <- fork{cmd, result}
	return <-result
}

type fork struct {
	cmd    *exec.Cmd
	result chan<- error
}

var (
	forker sync.Once
	forks  = make(chan fork)
)
