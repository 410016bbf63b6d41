package poc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// client sends requests to the gateway, and prints each with its answer.
type client struct {
	base  string // URL without a path
	http  *http.Client
	out   io.Writer
	steps int
}

// request is one step of the walk-through.
type request struct {
	title  string
	method string
	path   string
	token  string // none if empty
	body   map[string]any
	want   int // the status of the right answer
}

// answerTimeout is longer than the gateway ever takes.
const answerTimeout = 15 * time.Second

// title prints the number and the title of the next step.
func (c *client) title(text string) {
	c.steps++
	c.print("\n%d. %s", c.steps, text)
}

func (c *client) print(format string, arguments ...any) {
	_, _ = fmt.Fprintf(c.out, format+"\n", arguments...)
}

// call sends a request and decodes the answer. An answer with another status than the wanted one is an error.
func call[T any](ctx context.Context, c *client, asked request) (T, error) {
	var result T
	c.title(asked.title)
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	status, body, err := c.send(ctx, asked)
	if err != nil {
		return result, err
	}
	if status != asked.want {
		return result, fmt.Errorf("%s %s: the status is %d, not %d", asked.method, asked.path, status, asked.want)
	}
	if len(body) == 0 {
		return result, nil
	}
	if err := json.Unmarshal(body, &result); err != nil {
		return result, fmt.Errorf("%s %s: the body: %w", asked.method, asked.path, err)
	}
	return result, nil
}

// send sends a request and returns the status and the body of its answer.
func (c *client) send(ctx context.Context, asked request) (status int, body []byte, err error) {
	var content io.Reader
	shown := ""
	if asked.body != nil {
		encoded, err := json.Marshal(asked.body)
		if err != nil {
			return 0, nil, fmt.Errorf("encode request: %w", err)
		}
		content, shown = bytes.NewReader(encoded), " "+short(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, asked.method, c.base+asked.path, content)
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	if asked.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if asked.token != "" {
		request.Header.Set("Authorization", "Token "+asked.token)
		shown += "  (Authorization: Token " + shortToken(asked.token) + ")"
	}
	c.print("   > %s %s%s", asked.method, asked.path, shown)
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the gateway: %w", err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	c.print("   < %s", strings.TrimSpace(response.Status+" "+short(body)))
	return response.StatusCode, body, nil
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
