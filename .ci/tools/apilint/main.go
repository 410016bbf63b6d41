// Command apilint holds a description of an API, whose file is its argument, to the rules in rules.yaml. It is a command of ours because
// the linter's own command is a module that no tag names. The rules and all of the work are the linter's.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"

	"github.com/speakeasy-api/openapi/linter"
	"github.com/speakeasy-api/openapi/openapi"
	openapilinter "github.com/speakeasy-api/openapi/openapi/linter"
)

//go:embed rules.yaml
var rules []byte

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: apilint openapi.yaml")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apilint:", err)
		os.Exit(1)
	}
}

// run writes what the rules find in the file. Every finding is an error, however grave: a rule that does not fit is switched off.
func run(ctx context.Context, name string, out io.Writer) error {
	text, err := os.ReadFile(name) //nolint:gosec // whoever runs the command names the file
	if err != nil {
		return err
	}
	description, invalid, err := openapi.Unmarshal(ctx, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	config, err := linter.LoadConfig(bytes.NewReader(rules))
	if err != nil {
		return err
	}
	lint, err := openapilinter.NewLinter(config)
	if err != nil {
		return err
	}
	output, err := lint.Lint(ctx, linter.NewDocumentInfo(description, name), invalid, nil)
	if err != nil || len(output.Results) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(out, output.FormatText()); err != nil {
		return err
	}
	return fmt.Errorf("%s: %d findings", name, len(output.Results))
}
