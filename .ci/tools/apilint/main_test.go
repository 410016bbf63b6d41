package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const description = "../../../gateway/openapi.yaml"

func TestTheDescriptionKeepsTheRules(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	require.NoError(t, run(t.Context(), description, &said), "%s", &said)
}

func TestAMistakeInTheDescriptionIsFound(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(description)
	require.NoError(t, err)
	for name, mistake := range map[string]struct{ old, by, want string }{
		"a path without its parameter":        {"  /auth/logout:\n", "  /auth/{way}/logout:\n", "semantic-path-params"},
		"a component that nobody uses":        {"  schemas:\n", "  schemas:\n    Nothing: { description: Unused., type: string }\n", "semantic-unused-component"},
		"an operation without a tag":          {"      tags: [keys]\n", "", "style-operation-tags"},
		"a parameter that is not told":        {"      description: >-\n        The id of a step of the order's timeline.\n", "", "style-component-description"},
		"a number without bounds":             {"minimum: 0, maximum: 500, default: 30", "default: 30", "owasp-integer-limit"},
		"an operation that never throttles":   {"        '429': { $ref: '#/components/responses/TooManyRequests' }\n", "", "owasp-define-error-responses-429"},
		"a required member that is not there": {"required: [refresh_token]", "required: [refresh]", "oas-schema-check"},
		"what is no OpenAPI":                  {"      responses:\n", "      answers:\n", "validation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotZero(t, strings.Count(string(text), mistake.old), "the test changes what is not there any more")
			wrong := filepath.Join(t.TempDir(), "openapi.yaml")
			require.NoError(t, os.WriteFile(wrong, []byte(strings.Replace(string(text), mistake.old, mistake.by, 1)), 0o600))
			var said bytes.Buffer
			require.ErrorContains(t, run(t.Context(), wrong, &said), "findings")
			require.Contains(t, said.String(), mistake.want)
		})
	}
}
