package e2e

import (
	"syscall"
	"time"
)

// How a server is made to hang and to go on.
const (
	stopSignal     = syscall.SIGSTOP
	continueSignal = syscall.SIGCONT
)

// replicaOutage is how long the replica hangs.
const replicaOutage = 10 * time.Second
