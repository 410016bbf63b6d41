package stack

import (
	"context"
	"os/exec"
	"strings"
)

// RevisionVariable is the variable that the linker sets to Revision (go build -ldflags "-X …=…"), so that a program knows its
// build also where the go command sees no repository.
const RevisionVariable = "oms.internal/libs/version.revision"

// Revision returns the commit of the sources, with -dirty where they differ from it. It is "" where there is no repository or
// no git.
func (s Stack) Revision(ctx context.Context) string {
	// #nosec G204 -- our own arguments
	output, err := exec.CommandContext(ctx, "git", "-C", s.Root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}
