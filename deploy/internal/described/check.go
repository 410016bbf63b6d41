package described

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// unnamed are headers that the description need not name: those of HTTP itself and those that only browsers heed.
var unnamed = []string{
	"Connection", "Content-Length", "Content-Type", "Date", "Trailer", "Transfer-Encoding", "Vary",
	"Content-Security-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
	"Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
}

// Check says what is wrong with an answer to a request with this method and target (as it was sent: a path, perhaps with a query).
func (d *Description) Check(method, target string, status int, headers http.Header, body []byte) error {
	return d.check(method, target, status, body, func(described *response) error {
		return errors.Join(described.checkHeaders(headers), described.checkBody(method, headers.Get("Content-Type"), body))
	})
}

// CheckBody does the same for an answer whose headers are not known but for its type.
func (d *Description) CheckBody(method, target string, status int, contentType string, body []byte) error {
	return d.check(method, target, status, body, func(described *response) error {
		return described.checkBody(method, contentType, body)
	})
}

func (d *Description) check(method, target string, status int, body []byte, holds func(*response) error) error {
	problem := errors.New("the description does not have this status here")
	if described, found := d.find(method, target)[strconv.Itoa(status)]; found {
		problem = holds(described)
	}
	if problem == nil {
		return nil
	}
	return fmt.Errorf("%s %s was answered with %d %.500q against the description: %w", method, target, status, body, problem)
}

func (r *response) checkHeaders(headers http.Header) error {
	var problems []error
	for name, described := range r.headers {
		if described.required && headers.Get(name) == "" {
			problems = append(problems, fmt.Errorf("the header %s is missing", name))
		}
	}
	for name, values := range headers {
		described, named := r.headers[name]
		switch {
		case named:
			for _, value := range values {
				if err := described.check(value); err != nil {
					problems = append(problems, fmt.Errorf("the header %s: %w", name, err))
				}
			}
		case !slices.Contains(unnamed, name):
			problems = append(problems, fmt.Errorf("the description does not have the header %s here", name))
		}
	}
	return errors.Join(problems...)
}

// check reads the value as a number where that is described.
func (h header) check(value string) error {
	if number, err := strconv.Atoi(value); err == nil && h.schema.Types != nil && slices.Contains(h.schema.Types.ToStrings(), "integer") {
		return h.schema.Validate(number)
	}
	return h.schema.Validate(value)
}

func (r *response) checkBody(method, contentType string, body []byte) error {
	if len(r.content) == 0 || method == http.MethodHead {
		if len(body) != 0 {
			return errors.New("there must be no body")
		}
		if len(r.content) == 0 {
			return nil
		}
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	schema, described := r.content[mediaType]
	switch {
	case err != nil || !described:
		return fmt.Errorf("the description does not have the type %q here", contentType)
	case method == http.MethodHead:
		return nil
	case mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json"):
		return schema.Validate(string(body))
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	return schema.Validate(value)
}
