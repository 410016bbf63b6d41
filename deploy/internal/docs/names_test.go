// Package docs_test compares the documents with the tree.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../../.."

var (
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z]\w*)\(`)
	cited    = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
	// held is a file of tests in THREATS.md, and those of its tests that are named behind it.
	held = regexp.MustCompile("`([\\w/.]+_test\\.go)`((?:,? (?:Test|Fuzz)\\w+)*)")
)

// files yields the text of all files of the tree whose names end so.
func files(t *testing.T, ending string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == ".data"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ending):
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		texts[filepath.ToSlash(name)] = string(text)
		return err
	}))
	require.NotEmpty(t, texts)
	return texts
}

func TestEveryTestThatADocumentNamesIsInTheTree(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, text := range files(t, "_test.go") {
		for _, found := range declared.FindAllStringSubmatch(text, -1) {
			there[found[1]] = true
		}
	}
	named := 0
	for document, text := range files(t, ".md") {
		for _, name := range cited.FindAllString(text, -1) {
			named++
			assert.True(t, there[name], "%s names %s, which is no test", document, name)
		}
	}
	require.NotZero(t, named)
}

// make test leaves out what has UnderLoad in its name, and make test-load runs such tests of deploy/e2e only.
func TestOnlyTestsOfE2EAreLeftToTestLoad(t *testing.T) {
	t.Parallel()
	named := 0
	for file, text := range files(t, "_test.go") {
		if strings.HasPrefix(file, "deploy/internal/docs/") {
			continue
		}
		if found := strings.Count(text, "UnderLoad"); strings.HasPrefix(file, "deploy/e2e/") {
			named += found
		} else {
			assert.Zero(t, found, "%s holds UnderLoad: it would run nowhere", file)
		}
	}
	require.NotZero(t, named)
}

func TestThreatsAreHeldByTheTestsOfTheFilesThatAreNamed(t *testing.T) {
	t.Parallel()
	tests, documents := files(t, "_test.go"), files(t, "THREATS.md")
	short := strings.NewReplacer("`gw/", "`gateway/cmd/gateway/", "`gi/", "`gateway/internal/", "`acc/", "`services/accounts/internal/")
	rows := held.FindAllStringSubmatch(short.Replace(documents["gateway/THREATS.md"]), -1)
	require.NotEmpty(t, rows)
	for _, found := range rows {
		text, exists := tests[found[1]]
		assert.True(t, exists, "%s is not there", found[1])
		for _, name := range cited.FindAllString(found[2], -1) {
			assert.Contains(t, text, "func "+name+"(", "%s in %s", name, found[1])
		}
	}
}
