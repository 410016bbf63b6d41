package proc

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// appended opens a log as Start does.
func appended(t *testing.T, path string) *os.File {
	t.Helper()
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 -- a file of this test
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	return log
}

func readLog(t *testing.T, path string) string {
	t.Helper()
	log, err := OpenLog(path)
	require.NoError(t, err)
	content, err := io.ReadAll(log)
	require.NoError(t, err)
	require.NoError(t, log.Close())
	return string(content)
}

// cutsInOneStep reports whether the file system of a folder can cut a file's beginning off.
func cutsInOneStep(t *testing.T, dir string) bool {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "cut")) // #nosec G304 -- a folder of this test
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // nothing of it is used
	require.NoError(t, file.Truncate(2*cutSize))
	return cutOff(file, cutSize) == nil
}

func TestALogIsRotatedWhileAProcessWritesAndNoLineIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	process, err := Start(Command{
		Name: "writer", Path: "/bin/sh", Args: []string{"-c", "n=0; while :; do n=$((n+1)); echo $n; done"}, Log: path,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.Kill()) })
	const rotations, limit = 8, 2 * cutSize
	for _, err := os.Stat(oldLog(path, rotations)); err != nil; _, err = os.Stat(oldLog(path, rotations)) {
		require.True(t, process.Alive())
		require.NoError(t, RotateLog(path, limit, 10*rotations))
	}
	require.NoError(t, process.Kill())

	lines := strings.SplitAfter(readLog(t, path), "\n")
	lines = lines[:len(lines)-1] // the last may be half of one
	require.Greater(t, len(lines), rotations*limit/len("1000000\n"))
	if !cutsInOneStep(t, filepath.Dir(path)) {
		last := 0
		_, err := fmt.Sscanln(lines[len(lines)-1], &last)
		require.NoError(t, err)
		require.Greater(t, 2*len(lines), last, "few are lost")
		return
	}
	for i, line := range lines {
		require.Equal(t, fmt.Sprintln(i+1), line)
	}
}

func TestTheOldPartsOfALogAreBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	log := appended(t, path)
	require.NoError(t, RotateLog(filepath.Join(t.TempDir(), "of nobody"), 1, 1))
	const limit, keep = 3 * cutSize, 2
	for part := range 7 {
		_, err := log.WriteString(strings.Repeat(fmt.Sprint(part), limit))
		require.NoError(t, err)
		before := readLog(t, path)
		require.NoError(t, RotateLog(path, limit, keep))
		require.True(t, strings.HasSuffix(before, readLog(t, path)))
		files, err := filepath.Glob(path + "*")
		require.NoError(t, err)
		require.LessOrEqual(t, len(files), 1+keep)
		require.LessOrEqual(t, len(readLog(t, path)), limit+keep*2*limit)
	}
	require.Contains(t, readLog(t, path), strings.Repeat("6", limit), "the newest is there")
}

func TestALogIsNotRotatedWhileItIsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	_, err := appended(t, path).WriteString(strings.Repeat("line\n", cutSize))
	require.NoError(t, err)
	reader, err := OpenLog(path)
	require.NoError(t, err)
	require.NoError(t, RotateLog(path, cutSize, 1))
	require.NoFileExists(t, oldLog(path, 1))
	require.NoError(t, reader.Close())
	require.NoError(t, RotateLog(path, cutSize, 1))
	require.FileExists(t, oldLog(path, 1))
}

func TestAFailedRotationLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	_, err := appended(t, path).WriteString(strings.Repeat("line\n", cutSize))
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(path+".new", 0o700))
	before := readLog(t, path)
	require.ErrorContains(t, RotateLog(path, cutSize, 2), "rotate a log: ")
	require.Equal(t, before, readLog(t, path))
}

func TestTheLastLinesOfALogAreFoundAlthoughItWasJustRotated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	log := appended(t, path)
	for part := range 3 {
		_, err := log.WriteString(strings.Repeat(fmt.Sprintf("line of part %d\n", part), cutSize))
		require.NoError(t, err)
		require.NoError(t, RotateLog(path, cutSize, 5))
	}
	last, err := LastOfLog(path, 2*cutSize)
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("line of part 1\n", cutSize)+strings.Repeat("line of part 2\n", cutSize), string(last)+"\n")
	_, err = LastOfLog(filepath.Join(t.TempDir(), "of nobody"), 1)
	require.ErrorIs(t, err, os.ErrNotExist)
}
