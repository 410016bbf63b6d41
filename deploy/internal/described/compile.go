package described

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// response is a described answer.
type response struct {
	headers map[string]header
	// content has the schema of the body by its type; an answer without a type has no body.
	content map[string]*jsonschema.Schema
}

type header struct {
	required bool
	schema   *jsonschema.Schema
}

// answers are the components that describe answers, by name.
type answers struct {
	byName  map[string]*response
	problem error
}

// of returns the described answers of an operation, by status.
func (a *answers) of(operation object) responses {
	found := responses{}
	for status, described := range operation {
		reference, _ := described.(object)["$ref"].(string)
		name, isComponent := strings.CutPrefix(reference, "#/components/responses/")
		one, known := a.byName[name]
		if !isComponent || !known {
			a.problem = errors.Join(a.problem, fmt.Errorf("an answer with status %s is no component: %q", status, reference))
			continue
		}
		found[status] = one
	}
	return found
}

// resource is the name of the description for the compiler of schemas.
const resource = "description.json"

// compile compiles the schemas of all answers, once, so that to check an answer costs little.
func compile(root object) (*answers, error) {
	components := at(root, "components")
	schemas, answered := object{}, object{}
	for name, schema := range at(components, "schemas") {
		schemas[name] = strictly(schema.(object))
	}
	for name, described := range at(components, "responses") {
		content, headers := object{}, object{}
		for mediaType, body := range at(described.(object), "content") {
			content[mediaType] = strictValue(at(body.(object), "schema"))
		}
		for field, described := range at(described.(object), "headers") {
			headers[field] = at(headerOf(components, described), "schema")
		}
		answered[name] = object{"content": content, "headers": headers}
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(resource, object{"components": object{"schemas": schemas, "responses": answered}}); err != nil {
		return nil, fmt.Errorf("read the schemas: %w", err)
	}
	found := &answers{byName: map[string]*response{}}
	for name, described := range at(components, "responses") {
		one := &response{headers: map[string]header{}, content: map[string]*jsonschema.Schema{}}
		for mediaType := range at(answered, name, "content") {
			schema, err := compileAt(compiler, "components", "responses", name, "content", mediaType)
			found.problem = errors.Join(found.problem, err)
			one.content[mediaType] = schema
		}
		for field, described := range at(described.(object), "headers") {
			required, _ := headerOf(components, described)["required"].(bool)
			schema, err := compileAt(compiler, "components", "responses", name, "headers", field)
			found.problem = errors.Join(found.problem, err)
			one.headers[http.CanonicalHeaderKey(field)] = header{required: required, schema: schema}
		}
		found.byName[name] = one
	}
	return found, nil
}

// headerOf returns a header of an answer, which is described there or a component.
func headerOf(components object, described any) object {
	own := described.(object)
	if reference, is := own["$ref"].(string); is {
		return at(components, "headers", strings.TrimPrefix(reference, "#/components/headers/"))
	}
	return own
}

func compileAt(compiler *jsonschema.Compiler, names ...string) (*jsonschema.Schema, error) {
	pointer := ""
	for _, name := range names {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return compiler.Compile((&url.URL{Path: resource, Fragment: pointer}).String())
}

// strictValue returns the schema of a value so that an object may have no member that the schema does not name. The description itself
// leaves that open, since answers may gain members: a client must ignore what it does not know, but a test must not.
func strictValue(schema object) object {
	strict := strictly(schema)
	if _, says := strict["additionalProperties"]; !says {
		strict["unevaluatedProperties"] = false
	}
	return strict
}

// strictly returns a schema whose values below are strict. It leaves the value itself as open as it is, because another schema may hold
// for the same value.
func strictly(schema object) object {
	strict := maps.Clone(schema)
	if items := at(schema, "items"); items != nil {
		strict["items"] = strictValue(items)
	}
	if properties := at(schema, "properties"); properties != nil {
		values := object{}
		for name, value := range properties {
			values[name] = strictValue(value.(object))
		}
		strict["properties"] = values
	}
	for _, name := range []string{"allOf", "anyOf", "oneOf"} {
		parts, _ := schema[name].([]any)
		for i, part := range parts {
			if i == 0 {
				strict[name] = make([]any, len(parts))
			}
			strict[name].([]any)[i] = strictly(part.(object))
		}
	}
	return strict
}
