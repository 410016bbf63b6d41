package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"pgregory.net/rapid"

	"oms.internal/deploy/internal/described"
)

// valuesOf generates values of a schema of a request.
func valuesOf(schema described.Schema) *rapid.Generator[any] {
	if choices, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(choices)
	}
	if choice, ok := schema["const"]; ok {
		return rapid.Just(choice)
	}
	switch kind := schema["type"]; kind {
	case "boolean":
		return rapid.Bool().AsAny()
	case "integer":
		return rapid.Int64Range(int64(limit(schema, "minimum", 0)), math.MaxInt64).AsAny()
	case "array":
		return rapid.SliceOfN(valuesOf(schema["items"].(described.Schema)), 0, limit(schema, "maxItems", 5)).AsAny()
	case "string":
		return texts(schema).AsAny()
	default:
		panic(fmt.Sprintf("no values of type %v can be made", kind))
	}
}

// visible are characters for texts without a form. White space and invisible ones count for nothing in most fields.
const visible = "[a-zA-Z0-9가-힣🍤'!?.-]"

func texts(schema described.Schema) *rapid.Generator[string] {
	const longest = 500 // many such texts fit into a URL
	forms, least, most := patterns(schema), limit(schema, "minLength", 0), min(limit(schema, "maxLength", 30), longest)
	switch {
	case schema["format"] == "idn-email":
		// No two members have the same one, so a part of it is no random text that may come again.
		return rapid.Custom(func(t *rapid.T) string {
			domain := rapid.SampledFrom([]string{"e2e.test", "bücher.test", "xn--bcher-kva.test", "한국.test"}).Draw(t, "domain")
			return rapid.StringMatching(`[a-zA-Z0-9]([a-z0-9._+-]{0,10}[a-z0-9])?`).Draw(t, "mailbox") + unique() + "@" + domain
		}).Filter(func(text string) bool { return !strings.Contains(text, "..") })
	case len(forms) == 0:
		return rapid.StringMatching(fmt.Sprintf("%s{%d,%d}", visible, least, most))
	case len(forms) == 1 && strings.HasSuffix(forms[0], "+$"):
		// One class of characters throughout.
		return rapid.StringMatching(fmt.Sprintf("%s{%d,%d}$", strings.TrimSuffix(forms[0], "+$"), max(least, 1), most))
	case len(forms) == 1 && !strings.HasSuffix(forms[0], "$"):
		// The form says only what a text must have somewhere, so that none can be made of it.
		if examples, ok := schema["examples"].([]any); ok {
			return rapid.Map(rapid.SampledFrom(examples), func(example any) string { return example.(string) })
		}
		return rapid.StringMatching(fmt.Sprintf("%s{%d,%d}", visible, least, most)).Filter(regexp.MustCompile(forms[0]).MatchString)
	case len(forms) == 1:
		return rapid.StringMatching(forms[0]).Filter(func(text string) bool { return fits(text, least, most) })
	default:
		// Each form asks for something somewhere in the text.
		return rapid.Custom(func(t *rapid.T) string {
			parts := []string{rapid.StringMatching(fmt.Sprintf("[a-zA-Z]{%d,%d}", least, most/2)).Draw(t, "filling")}
			for _, form := range forms {
				parts = append(parts, rapid.StringMatching(form).Filter(isPrintableASCII).Draw(t, form))
			}
			return strings.Join(rapid.Permutation(parts).Draw(t, "order"), "")
		})
	}
}

func isPrintableASCII(text string) bool {
	return !strings.ContainsFunc(text, func(char rune) bool { return char <= ' ' || char > '~' })
}

func fits(text string, least, most int) bool {
	count := utf8.RuneCountInString(text)
	return least <= count && count <= most
}

func limit(schema described.Schema, name string, otherwise int) int {
	if value, ok := schema[name].(int); ok {
		return value
	}
	return otherwise
}

// patterns are those of a text.
func patterns(schema described.Schema) []string {
	var found []string
	if pattern, ok := schema["pattern"].(string); ok {
		found = append(found, pattern)
	}
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		found = append(found, patterns(part.(described.Schema))...)
	}
	return found
}

// violation is a value that breaks one constraint of a schema.
type violation struct {
	constraint string
	value      any
}

// violations are values of which each breaks one constraint.
func violations(schema described.Schema) []violation {
	var found []violation
	kinds, nullable := schema["type"].([]any)
	kind := schema["type"]
	if nullable {
		kind = kinds[0]
	} else {
		found = append(found, violation{"type", nil})
	}
	for _, name := range []string{"enum", "const"} {
		if _, ok := schema[name]; ok {
			found = append(found, violation{name, "no choice"})
		}
	}
	switch kind {
	case "string":
		found = append(found, violation{"type", map[string]any{"a": 1}})
		return append(found, textViolations(schema)...)
	case "integer":
		found = append(found, violation{"type", "x"})
		if least, ok := schema["minimum"].(int); ok {
			found = append(found, violation{"minimum", least - 1})
		}
		if schema["format"] == "int64" {
			found = append(found, violation{"format", json.Number("9223372036854775808")})
		}
	case "boolean":
		found = append(found, violation{"type", "maybe"})
	case "array":
		return violations(schema["items"].(described.Schema))
	}
	return found
}

func textViolations(schema described.Schema) []violation {
	var found []violation
	sample := "aaaaaaaa"
	if samples, ok := schema["examples"].([]any); ok {
		sample = samples[0].(string)
	}
	chars := []rune(sample)
	if least, ok := schema["minLength"].(int); ok {
		found = append(found, violation{"minLength", string(chars[:least-1])})
	}
	if most, ok := schema["maxLength"].(int); ok {
		found = append(found, violation{"maxLength", sample + strings.Repeat(string(chars[0]), most+1-len(chars))})
	}
	if schema["format"] == "idn-email" {
		found = append(found, violation{"format", "no address"})
	}
	for _, pattern := range patterns(schema) {
		found = append(found, violation{"pattern " + pattern, mismatch(regexp.MustCompile(pattern), chars)})
	}
	return found
}

// mismatch changes a sample, as little as possible, so that the pattern matches no longer.
func mismatch(pattern *regexp.Regexp, sample []rune) string {
	for _, other := range "!aé" {
		if changed := string(sample[:len(sample)-1]) + string(other); !pattern.MatchString(changed) {
			return changed
		}
	}
	rest := slices.DeleteFunc(slices.Clone(sample), func(char rune) bool { return pattern.MatchString(string(char)) })
	return string(rest) + strings.Repeat(string(append(rest, ' ')[0]), len(sample)-len(rest))
}
