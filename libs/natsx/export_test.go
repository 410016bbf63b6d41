package natsx

// The bounds of the pool, for tests that fill it.
const (
	Workers     = workers
	QueueLength = queueLength
)
