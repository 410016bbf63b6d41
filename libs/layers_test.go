// Package libs_test holds what concerns all libraries.
package libs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// described are the libraries of each layer as the README draws them, the highest layer first.
func described(t *testing.T) (layers [][]string) {
	t.Helper()
	_, drawing, found := strings.Cut(read(t, "README.md"), "Libraries have layers.")
	require.True(t, found)
	for line := range strings.Lines(strings.Split(drawing, "```")[1]) {
		if names, _, found := strings.Cut(line, "   "); found {
			layers = append(layers, strings.Fields(names))
		}
	}
	return layers
}

// linted are the libraries of each layer rule of the linter, the highest layer first.
func linted(t *testing.T) (layers [][]string) {
	t.Helper()
	rule := regexp.MustCompile(`(?m)^ +libs-\w+:\n +files: \["\*\*/libs/\{([^}]+)\}`)
	for _, found := range rule.FindAllStringSubmatch(read(t, "../.golangci.yml"), -1) {
		layers = slices.Insert(layers, 0, strings.Split(found[1], ","))
	}
	return layers
}

func TestEveryLibraryHasALayerThatTheLinterKnows(t *testing.T) {
	t.Parallel()
	layers := described(t)
	rules := linted(t)
	require.Len(t, rules, len(layers)-1, "each layer but the highest has a rule")
	layerOf := map[string]int{}
	for i, names := range layers {
		if i > 0 {
			names = rules[i-1]
		}
		var last []string
		for _, name := range names {
			layerOf[name] = i
			last = append(last, path.Base(name))
		}
		for _, name := range layers[i] {
			require.Contains(t, last, path.Base(name), "%s has another rule than the README says", name)
		}
		require.Len(t, names, len(layers[i]), "layer %v", layers[i])
	}
	packages := 0
	require.NoError(t, filepath.WalkDir(".", func(file string, _ fs.DirEntry, err error) error {
		if folder := filepath.ToSlash(filepath.Dir(file)); strings.HasSuffix(file, ".go") && folder != "." {
			packages++
			library, _, _ := strings.Cut(folder, "/")
			_, itself := layerOf[folder]
			_, below := layerOf[library]
			require.True(t, itself || below, "%s has no layer", folder)
		}
		return err
	}))
	require.NotZero(t, packages)
}
