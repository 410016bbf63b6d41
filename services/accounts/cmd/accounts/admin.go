package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"oms.internal/accounts/internal/account"
)

// createAdmin makes the member with --email an admin, with a password that it asks for.
func createAdmin(ctx context.Context, cfg Config, log *slog.Logger, args []string, in *os.File, out io.Writer) error {
	flags := flag.NewFlagSet("admin", flag.ContinueOnError)
	flags.SetOutput(out)
	address := flags.String("email", "", "email of the member")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if account.Mailbox(*address) == "" || utf8.RuneCountInString(*address) > account.MaxEmail {
		return errors.New("--email: not a valid email address")
	}
	password, err := readPassword(in, out)
	if err != nil {
		return err
	}
	if err := account.CheckPassword(password); err != nil {
		return err
	}
	var created bool
	err = operate(ctx, cfg, log, func(ctx context.Context, domain *account.Service) error {
		created, err = domain.CreateAdmin(ctx, *address, password)
		return err
	})
	if err != nil {
		return err
	}
	if created {
		_, err = fmt.Fprintf(out, "%s: created, with the admin right\n", *address)
	} else {
		_, err = fmt.Fprintf(out, "%s: has the admin right and the new password; its sessions have ended\n", *address)
	}
	return err
}

// readPassword asks on a terminal, without echo, or takes the first line of what is piped in.
func readPassword(in *os.File, out io.Writer) (string, error) {
	if term.IsTerminal(int(in.Fd())) {
		if _, err := fmt.Fprint(out, "Password: "); err != nil {
			return "", err
		}
		password, err := term.ReadPassword(int(in.Fd()))
		_, lineErr := fmt.Fprintln(out)
		return string(password), errors.Join(err, lineErr)
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
