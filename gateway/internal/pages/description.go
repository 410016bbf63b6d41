package pages

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// toJSON writes YAML as JSON. Members keep their order, in which the pages show them.
func toJSON(text []byte) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := write(&out, &document); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func write(out *bytes.Buffer, node *yaml.Node) error {
	switch node.Kind {
	case yaml.DocumentNode:
		return write(out, node.Content[0])
	case yaml.AliasNode:
		return write(out, node.Alias)
	case yaml.MappingNode:
		return writeAll(out, '{', node.Content, '}')
	case yaml.SequenceNode:
		return writeAll(out, '[', node.Content, ']')
	case yaml.ScalarNode:
		return writeScalar(out, node)
	default:
		return fmt.Errorf("line %d: nothing that JSON knows", node.Line)
	}
}

// writeAll writes the members of an object, names and values in turn, or the elements of an array.
func writeAll(out *bytes.Buffer, open byte, nodes []*yaml.Node, closing byte) error {
	out.WriteByte(open)
	for i, node := range nodes {
		isName := open == '{' && i%2 == 0
		switch {
		case open == '{' && !isName:
			out.WriteByte(':')
		case i > 0:
			out.WriteByte(',')
		}
		if isName {
			// Names such as 200 are numbers to YAML.
			if node = (&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: node.Value, Line: node.Line}); node.Value == "<<" {
				return fmt.Errorf("line %d: JSON cannot merge", node.Line)
			}
		}
		if err := write(out, node); err != nil {
			return err
		}
	}
	out.WriteByte(closing)
	return nil
}

func writeScalar(out *bytes.Buffer, node *yaml.Node) error {
	var value any = node.Value
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		// An example that looks like a time is a text.
	default:
		if err := node.Decode(&value); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	out.Truncate(out.Len() - 1) // the line end that Encode writes
	return nil
}
