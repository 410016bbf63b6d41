// Package config reads a process's configuration from its environment, once, at the start.
//
// It reports all mistakes together, refuses keys it does not know (a misspelt key must not silently mean the default),
// takes secrets from files, and describes the result with secrets masked.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caarlos0/env/v11"
)

// Secret is a value that was read from a file and prints as asterisks everywhere but in string(secret).
type Secret string

// String masks the value.
func (Secret) String() string { return "******" }

// Format masks the value whatever the verb; without it %#v and %d would show it.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "******") }

// LogValue masks the value in structured logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("******") }

// MarshalText masks the value in encodings.
func (Secret) MarshalText() ([]byte, error) { return []byte("******"), nil }

// Load fills a T, whose fields are tagged as github.com/caarlos0/env describes, from an environment in the form of
// os.Environ. A key that shares its first word (up to the underscore) with one of T's, but is not one of T's, is a
// mistake. All mistakes come back as one error. A T may have two methods: SetDefaults, with a pointer receiver, sets values
// before any is read, for defaults that a tag cannot say; Check says what is wrong with values that could all be read.
func Load[T any](environ []string) (T, error) {
	values := env.ToMap(environ)
	result := Defaults[T]()
	known, err := env.GetFieldParams(&result)
	if err != nil {
		return result, fmt.Errorf("describe configuration: %w", err)
	}
	problems, unread := unknownKeys(known, values), map[string]bool{}
	err = env.ParseWithOptions(&result, env.Options{Environment: values})
	if err != nil {
		all, ok := errors.AsType[env.AggregateError](err)
		if !ok {
			all.Errors = []error{err}
		}
		for _, problem := range all.Errors {
			problems = append(problems, underKey(problem, reflect.TypeFor[T]()))
			if file, ok := errors.AsType[env.LoadFileContentError](problem); ok {
				unread[file.Key] = true
			}
		}
	}
	problems = append(problems, trimSecrets(reflect.ValueOf(&result).Elem(), values, unread))
	if checked, ok := any(&result).(interface{ Check() error }); ok && err == nil {
		problems = append(problems, checked.Check())
	}
	return result, errors.Join(problems...)
}

// Defaults returns a T before anything is read into it.
func Defaults[T any]() (result T) {
	if defaulted, ok := any(&result).(interface{ SetDefaults() }); ok {
		defaulted.SetDefaults()
	}
	return result
}

func unknownKeys(known []env.FieldParams, values map[string]string) []error {
	keys, words := map[string]bool{}, map[string]bool{}
	for _, field := range known {
		keys[field.Key] = true
		word, _, _ := strings.Cut(field.Key, "_")
		words[word] = true
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(values)) {
		word, _, compound := strings.Cut(key, "_")
		// Container engines hand HTTP_PROXY and the like to every process.
		if compound && words[word] && !keys[key] && !strings.HasSuffix(key, "_PROXY") {
			problems = append(problems, fmt.Errorf("%s: there is no such setting", key))
		}
	}
	return problems
}

// underKey names the key of a value that cannot be parsed; the library names the field of the struct.
func underKey(problem error, settings reflect.Type) error {
	unparsed, ok := errors.AsType[env.ParseError](problem)
	if !ok {
		return problem
	}
	field, found := settings.FieldByName(unparsed.Name)
	if !found {
		return problem
	}
	key, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	return fmt.Errorf("%s: %w", key, unparsed.Err)
}

// trimSecrets removes the line end that most tools leave at the end of a file, and says which secrets cannot be right. Nothing more is
// said of the files of those keys that were unread, which are reported already.
func trimSecrets(value reflect.Value, values map[string]string, unread map[string]bool) error {
	var problems []error
	for i := range value.NumField() {
		field := value.Field(i)
		switch {
		case field.Type() == reflect.TypeFor[Secret]():
			secret := strings.TrimRight(string(field.Interface().(Secret)), "\r\n")
			field.SetString(secret)
			key, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("env"), ",")
			if file := values[key]; file != "" && !unread[key] {
				problems = append(problems, checkSecret(key, file, secret))
			}
		case field.Kind() == reflect.Struct && field.CanSet():
			problems = append(problems, trimSecrets(field, values, unread))
		}
	}
	return errors.Join(problems...)
}

// checkSecret says why a secret cannot be right. It does not look at the length: operators choose the passwords of their database and
// NATS, and whoever makes a secret knows how long it is.
func checkSecret(key, file, secret string) error {
	switch {
	case secret == "":
		return fmt.Errorf("%s: %s is empty", key, file)
	case strings.ContainsFunc(secret, unicode.IsControl) || !utf8.ValidString(secret):
		return fmt.Errorf("%s: %s holds more than one line, or is no text", key, file)
	}
	return nil
}

// Describe returns the settings of a loaded configuration as log attributes, in the order of the fields.
func Describe(settings any) []slog.Attr {
	return describe(reflect.Indirect(reflect.ValueOf(settings)))
}

// asSet is a value as it was set: JSON would show a duration in nanoseconds.
func asSet(value any) any {
	if duration, ok := value.(time.Duration); ok {
		return duration.String()
	}
	return value
}

func describe(value reflect.Value) []slog.Attr {
	var attrs []slog.Attr
	for i := range value.NumField() {
		field := value.Type().Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		switch {
		case key != "":
			attrs = append(attrs, slog.Any(key, asSet(value.Field(i).Interface())))
		case field.Type.Kind() == reflect.Struct:
			attrs = append(attrs, describe(value.Field(i))...)
		}
	}
	return attrs
}
