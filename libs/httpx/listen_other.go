//go:build !linux

package httpx

// endListening does nothing where the kernel does not tell the length of the queue. Then Close ends listening.
func endListening(int) {}
