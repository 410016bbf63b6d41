// Package described holds what the running system answers to the description of the API (gateway/openapi.yaml): the status, the type, the
// headers and the body of an answer must be those of its operation, and nothing may be there that the description does not name. It also
// lists the operations with what they take, for tests that make requests from them.
//
// It knows OpenAPI's paths, responses and headers, and leaves schemas, which OpenAPI 3.1 takes from JSON Schema 2020-12, to a library. Only
// tests use it.
package described

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Description is the API as it is described. It is safe for concurrent use.
type Description struct {
	root  object
	paths []*path
	// elsewhere are the answers to what no path takes.
	elsewhere responses
}

// object is a mapping of the description.
type object = map[string]any

// path is a path of the description.
type path struct {
	template string
	segments []string
	item     object
	methods  map[string]responses
	// otherMethods are the answers to the methods that the path does not have.
	otherMethods responses
}

// responses are described answers by their status.
type responses map[string]*response

//go:embed words.yaml
var words []byte

// operationMethods are those that a path of OpenAPI may have, by their names there.
var operationMethods = []string{"get", "put", "post", "delete", "patch"}

// Read reads a description, whose responses must all be components.
func Read(content []byte) (*Description, error) {
	var root, inWords object
	if err := yaml.Unmarshal(content, &root); err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	if err := yaml.Unmarshal(words, &inWords); err != nil {
		return nil, fmt.Errorf("read what it says in words: %w", err)
	}
	for name, added := range at(inWords, "components") {
		maps.Copy(at(root, "components", name), added.(object))
	}
	answers, err := compile(root)
	if err != nil {
		return nil, err
	}
	d := &Description{root: root}
	options := answers.of(at(inWords, "options"))
	otherMethods := answers.of(at(inWords, "otherMethods"))
	d.elsewhere = answers.of(at(inWords, "elsewhere"))
	for template := range at(root, "paths") {
		one := &path{
			template: template, segments: strings.Split(template, "/"), item: at(root, "paths", template),
			methods: map[string]responses{http.MethodOptions: options}, otherMethods: otherMethods,
		}
		for _, method := range operationMethods {
			if operation := at(one.item, method); operation != nil {
				one.methods[strings.ToUpper(method)] = answers.of(at(operation, "responses"))
			}
		}
		if get, found := one.methods[http.MethodGet]; found {
			one.methods[http.MethodHead] = get
		}
		d.paths = append(d.paths, one)
	}
	// A path without parameters comes before one that takes the same with them.
	slices.SortFunc(d.paths, func(a, b *path) int {
		return cmp.Or(strings.Count(a.template, "{")-strings.Count(b.template, "{"), strings.Compare(a.template, b.template))
	})
	return d, answers.problem
}

// MustRead is Read for variables of tests. It panics where the description cannot be read.
func MustRead(content []byte) *Description {
	description, err := Read(content)
	if err != nil {
		panic(err)
	}
	return description
}

// at returns the mapping under these names, nil if there is none.
func at(from object, names ...string) object {
	for _, name := range names {
		from, _ = from[name].(object)
	}
	return from
}

// find returns what may be answered to the method at this target of a request, which is a path and perhaps a query.
func (d *Description) find(method, target string) responses {
	target, _, _ = strings.Cut(target, "?")
	found := d.path(target)
	if found == nil {
		// The paths of collections are the same without the slash at their end.
		found = d.path(target + "/")
	}
	if found == nil {
		return d.elsewhere
	}
	if described, has := found.methods[method]; has {
		return described
	}
	return found.otherMethods
}

func (d *Description) path(target string) *path {
	segments := strings.Split(target, "/")
	for _, one := range d.paths {
		if slices.EqualFunc(one.segments, segments, matches) {
			return one
		}
	}
	return nil
}

// matches reports whether a segment of a path stands at this place of a template. Nothing is decoded, because paths match byte for byte.
func matches(template, segment string) bool {
	if !strings.HasPrefix(template, "{") {
		return template == segment
	}
	return segment != "" && strings.Trim(segment, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
