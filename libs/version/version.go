// Package version says which build of a program runs. It imports no other library.
package version

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// revision is set by the linker where the sources are built without their repository, as in deploy/Dockerfile:
//
//	go build -ldflags "-X oms.internal/libs/version.revision=…"
var revision string

// unknown stands for what the build does not tell.
const unknown = "unknown"

// Info tells builds apart.
type Info struct {
	// Version is a semantic version without the v. One that no tag names is of the form 0.0.0-….
	Version string
	// Revision is the commit, with -dirty where the sources differed from it; or unknown.
	Revision string
	// Go is the version of the compiler, such as go1.26.0.
	Go string
}

// Get returns what the running program was built from.
func Get() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{GoVersion: unknown}
	}
	return from(build, revision)
}

func from(build *debug.BuildInfo, linked string) Info {
	info := Info{Version: strings.TrimPrefix(build.Main.Version, "v"), Revision: linked, Go: build.GoVersion}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = "0.0.0-devel"
	}
	if info.Revision == "" {
		info.Revision = committed(build.Settings)
	}
	return info
}

// committed is the revision that the go command noted where it built inside of a repository.
func committed(settings []debug.BuildSetting) string {
	commit, dirty := unknown, ""
	for _, setting := range settings {
		switch {
		case setting.Key == "vcs.revision":
			commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			dirty = "-dirty"
		}
	}
	return commit + dirty
}

// String is for people.
func (i Info) String() string {
	return fmt.Sprintf("%s (revision %s, %s)", i.Version, i.Revision, i.Go)
}
