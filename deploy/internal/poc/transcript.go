package poc

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

// transcript prints the steps of the walk-through, and each request with its answer.
type transcript struct {
	out   io.Writer
	next  http.RoundTripper
	steps int
}

// title prints the number and the title of the next step.
func (t *transcript) title(format string, arguments ...any) {
	t.steps++
	t.print("\n%d. %s", t.steps, fmt.Sprintf(format, arguments...))
}

func (t *transcript) print(format string, arguments ...any) {
	_, _ = fmt.Fprintf(t.out, format+"\n", arguments...)
}

// RoundTrip sends a request as it would be sent without the transcript.
func (t *transcript) RoundTrip(request *http.Request) (*http.Response, error) {
	shown := request.Method + " " + request.URL.RequestURI()
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		shown += " " + short(content)
	}
	if scheme, token, found := strings.Cut(request.Header.Get("Authorization"), " "); found {
		shown += "  (Authorization: " + scheme + " " + shortToken(token) + ")"
	}
	t.print("   > %s", shown)
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	content, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	t.print("   < %s", strings.TrimSpace(response.Status+" "+short(content)))
	response.Body = io.NopCloser(bytes.NewReader(content))
	return response, nil
}

var secrets = regexp.MustCompile(`"((?:refresh_)?token|password)":\s*"([^"]*)"`)

// short returns a body as it is printed: secrets are cut, and it is at most about two lines long.
func short(body []byte) string {
	const longest = 400
	text := secrets.ReplaceAllStringFunc(string(body), func(member string) string {
		parts := secrets.FindStringSubmatch(member)
		return fmt.Sprintf("%q:%q", parts[1], shortToken(parts[2]))
	})
	if len(text) <= longest {
		return text
	}
	text = text[:longest]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}

// shortToken shows enough of a secret to tell it from another one.
func shortToken(token string) string {
	const shown = 6
	if len(token) <= 2*shown {
		return "…"
	}
	return token[:shown] + "…" + token[len(token)-shown:]
}
