package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// RequireSpace fails if the disk of the data folder has less than so many MB free. A first start that runs out of space leaves the
// messages of several programs, none of which names the reason first.
func (s Stack) RequireSpace(megabytes uint64) error {
	folder := s.Data()
	var free unix.Statfs_t
	err := unix.Statfs(folder, &free)
	for errors.Is(err, os.ErrNotExist) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		err = unix.Statfs(folder, &free)
	}
	if err != nil {
		return fmt.Errorf("free space of %s: %w", folder, err)
	}
	if left := free.Bavail * uint64(free.Bsize) >> 20; left < megabytes { // #nosec G115 -- a block's size is positive
		return fmt.Errorf("the disk of %s has %d MB free, and the first start needs %d MB: make room, or set OMS_DATA to another folder",
			s.Data(), left, megabytes)
	}
	return nil
}
