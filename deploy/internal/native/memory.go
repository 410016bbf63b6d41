package native

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	// leastPoolMB is enough for a developer's data, and what InnoDB needs at least is less.
	leastPoolMB = 128
	// shareOfPool is what part of the machine's memory is one server's buffer pool, unless it was chosen. There are two servers, and
	// other programs beside them.
	shareOfPool = 16
)

// bufferPool returns the size of InnoDB's buffer pool, as the server's configuration has it: the chosen one in MiB, or a share of
// this machine's memory.
func bufferPool(chosen string) (string, error) {
	// Whole steps only: the kernel may count a little more or less after an update, and another size restarts the servers.
	size := max(leastPoolMB, memoryMB()/shareOfPool/leastPoolMB*leastPoolMB)
	if chosen != "" {
		var err error
		if size, err = strconv.Atoi(chosen); err != nil || size < leastPoolMB || memoryMB() > 0 && size > memoryMB() {
			return "", fmt.Errorf("BUFFER_POOL_MB: %q is not a number from %d to this machine's memory, %d MiB", chosen, leastPoolMB, memoryMB())
		}
	}
	return strconv.Itoa(size) + "M", nil
}

// memoryMB is the memory of this machine in MiB, 0 where it does not tell.
func memoryMB() int {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer file.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if total, found := strings.CutPrefix(lines.Text(), "MemTotal:"); found {
			kib, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(total), " kB"))
			return kib >> 10
		}
	}
	return 0
}
