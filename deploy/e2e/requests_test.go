package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// editorRequest is a request of deploy/requests.http.
type editorRequest struct {
	name, status, method, url string
	headers                   http.Header
	body                      string
}

var (
	editorVariable  = regexp.MustCompile(`(?m)^@(\w+) = (.*)$`)
	editorReference = regexp.MustCompile(`\{\{([^}]+)\}\}`)
)

// readEditorRequests reads the file as editors do, as far as the file makes use of what they can.
func readEditorRequests(t *testing.T) (variables map[string]string, requests []editorRequest) {
	t.Helper()
	content, err := os.ReadFile("../requests.http")
	require.NoError(t, err)
	parts := strings.Split(string(content), "\n### ")
	variables = map[string]string{}
	for _, found := range editorVariable.FindAllStringSubmatch(parts[0], -1) {
		variables[found[1]] = found[2]
	}
	for _, part := range parts[1:] {
		head, body, _ := strings.Cut(part, "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		require.GreaterOrEqual(t, len(lines), 3, part)
		status := regexp.MustCompile(`: (\d{3})\b`).FindStringSubmatch(lines[0])
		require.NotNil(t, status, "the title says the status: %s", lines[0])
		name, named := strings.CutPrefix(lines[1], "# @name ")
		require.True(t, named, part)
		method, url, _ := strings.Cut(lines[2], " ")
		request := editorRequest{name: name, status: status[1], method: method, url: url, headers: http.Header{}, body: strings.TrimSpace(body)}
		for _, line := range lines[3:] {
			header, value, found := strings.Cut(line, ": ")
			require.True(t, found, line)
			request.headers.Set(header, value)
		}
		requests = append(requests, request)
	}
	return variables, requests
}

func TestTheRequestsForEditorsNameEachOperationOfTheDescription(t *testing.T) {
	t.Parallel()
	_, requests := readEditorRequests(t)
	named := map[string]bool{}
	for _, request := range requests {
		require.False(t, named[request.name], "%s is there twice", request.name)
		named[request.name] = true
	}
	operations := description.Operations()
	require.NotEmpty(t, operations)
	for _, operation := range operations {
		require.True(t, named[operation.ID], operation.ID)
	}
}

func TestTheRequestsForEditorsAreAnsweredAsTheirTitlesSay(t *testing.T) {
	t.Parallel()
	variables, requests := readEditorRequests(t)
	variables["base"] = gatewayURL()
	variables["admin_email"], variables["admin_password"] = newAdmin(t).email, password
	answers := map[string]answer{}
	fill := func(text string) string {
		return editorReference.ReplaceAllStringFunc(text, func(reference string) string {
			return valueOf(t, strings.Trim(reference, "{}"), variables, answers)
		})
	}
	for _, asked := range requests {
		request, err := http.NewRequestWithContext(t.Context(), asked.method, fill(asked.url), strings.NewReader(fill(asked.body)))
		require.NoError(t, err, asked.name)
		for name, values := range asked.headers {
			request.Header.Set(name, fill(values[0]))
		}
		got, err := newClient().read(request)
		require.NoError(t, err, asked.name)
		require.Equal(t, asked.status, strconv.Itoa(got.status), "%s: %s", asked.name, got.text)
		answers[asked.name] = got
	}
}

// valueOf is what a reference stands for: a variable of the file, $guid, or a part of an answer that came before.
func valueOf(t *testing.T, reference string, variables map[string]string, answers map[string]answer) string {
	t.Helper()
	if reference == "$guid" {
		return unique()
	}
	if value, found := variables[reference]; found {
		return value
	}
	name, part, found := strings.Cut(reference, ".response.")
	require.True(t, found, reference)
	require.Contains(t, answers, name, "%s comes before its use", name)
	if header, found := strings.CutPrefix(part, "headers."); found {
		return answers[name].header.Get(header)
	}
	path, found := strings.CutPrefix(part, "body.$.")
	require.True(t, found, reference)
	value := any(answers[name].body)
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		if index, err := strconv.Atoi(step); err == nil {
			value = value.([]any)[index]
			continue
		}
		require.Contains(t, value, step, reference)
		value = value.(map[string]any)[step]
	}
	if text, is := value.(string); is {
		return text
	}
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}
