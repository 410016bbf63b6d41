package described

import (
	"maps"
	"slices"
	"strings"
)

// Schema is a schema without references: what they lead to is in their place.
type Schema = map[string]any

// Operation is what an operation takes.
type Operation struct {
	ID, Method, Path string
	Parameters       []Parameter
	// Body is the schema of the body by its type, nil where there is none, and Example is the first of its examples by name.
	Body    map[string]Schema
	Example map[string]any
}

// Parameter is a parameter of an operation.
type Parameter struct {
	Name string
	// In is path, query or header.
	In     string
	Schema Schema
}

// Operations lists all operations, in the order of their paths.
func (d *Description) Operations() []Operation {
	var all []Operation
	for _, path := range d.paths {
		shared, _ := path.item["parameters"].([]any)
		for _, method := range operationMethods {
			described := at(path.item, method)
			if described == nil {
				continue
			}
			operation := Operation{ID: described["operationId"].(string), Method: strings.ToUpper(method), Path: path.template}
			own, _ := described["parameters"].([]any)
			for _, parameter := range slices.Concat(shared, own) {
				found := d.resolved(parameter).(object)
				operation.Parameters = append(operation.Parameters, Parameter{
					Name: found["name"].(string), In: found["in"].(string), Schema: at(found, "schema"),
				})
			}
			body, _ := d.resolved(described["requestBody"]).(object)
			for mediaType, content := range at(body, "content") {
				if operation.Body == nil {
					operation.Body = map[string]Schema{}
				}
				operation.Body[mediaType] = at(content.(object), "schema")
				if examples := at(content.(object), "examples"); examples != nil {
					operation.Example = at(examples, slices.Min(slices.Collect(maps.Keys(examples))), "value")
				}
			}
			all = append(all, operation)
		}
	}
	return all
}

// resolved returns a node of the description with what its references lead to in their place. What stands beside a reference adds to it.
func (d *Description) resolved(node any) any {
	switch node := node.(type) {
	case object:
		whole := object{}
		if reference, is := node["$ref"].(string); is {
			names := strings.Split(strings.TrimPrefix(reference, "#/"), "/")
			maps.Copy(whole, d.resolved(at(d.root, names...)).(object))
		}
		for name, value := range node {
			if name != "$ref" {
				whole[name] = d.resolved(value)
			}
		}
		return whole
	case []any:
		whole := make([]any, len(node))
		for i, value := range node {
			whole[i] = d.resolved(value)
		}
		return whole
	default:
		return node
	}
}
