package stack

import (
	"context"
	"maps"
	"os/exec"
	"strings"
)

// RevisionVariable is the variable that the linker sets to Revision (go build -ldflags "-X …=…"), so that a program knows its
// build also where the go command sees no repository.
const RevisionVariable = "oms.internal/libs/version.revision"

// dirty is the end of a revision that is no commit.
const dirty = "-dirty"

// Revision returns the commit of the sources, with -dirty where they differ from it. It is "" where there is no repository or
// no git.
func (s Stack) Revision(ctx context.Context) string {
	// #nosec G204 -- our own arguments
	output, err := exec.CommandContext(ctx, "git", "-C", s.Root, "describe", "--always", "--dirty="+dirty, "--abbrev=40", "--exclude=*").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}

// Checkable returns the commit whose builds can judge the chosen settings before they are built again, "" for none. There are none where the
// sources are not a commit, because another build may know other settings, and none are needed where no setting was chosen anew.
func (s Stack) Checkable(ctx context.Context) string {
	last, found, _ := s.Recorded()
	revision := s.Revision(ctx)
	if !found || maps.Equal(last.Choices, s.Choices) || strings.HasSuffix(revision, dirty) {
		return ""
	}
	return revision
}
