package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/command"
	"oms.internal/libs/fault"
	"oms.internal/libs/service"
)

func adminCommands(operate service.Operate[Config]) *cobra.Command {
	return command.Group("admin", "make, unmake and list admins",
		command.New("create EMAIL", "make an admin, or make a member one; the password is asked for, or read from standard input", 1,
			operate(createAdmin)),
		command.New("grant EMAIL", "give a member the admin right; its password and sessions stay", 1, operate(setAdmin(true))),
		command.New("revoke EMAIL", "take the admin right from a member, and end its sessions", 1, operate(setAdmin(false))),
		command.New("list", "list the admins", 0, operate(listAdmins)))
}

type operator = service.Operator[Config]

// emailOf returns the argument of a command that names a member.
func emailOf(o operator) (string, error) {
	if email := o.Args[0]; account.Mailbox(email) != "" && utf8.RuneCountInString(email) <= account.MaxEmail {
		return email, nil
	}
	return "", command.Exit(command.Misused, fmt.Errorf("%q is not a valid email address", o.Args[0]))
}

// createAdmin makes the member an admin, with a password that it asks for.
func createAdmin(ctx context.Context, o operator) error {
	email, err := emailOf(o)
	if err != nil {
		return err
	}
	password, err := readPassword(o.In, o.Beside)
	if err != nil {
		return err
	}
	if err := account.CheckPassword(password); err != nil {
		return err
	}
	var created bool
	err = operate(ctx, o, func(ctx context.Context, domain *account.Service) error {
		created, err = domain.CreateAdmin(ctx, email, password)
		return err
	})
	if err != nil {
		return err
	}
	did := "has the admin right and the new password; its sessions have ended"
	if created {
		did = "created, with the admin right"
	}
	_, err = fmt.Fprintf(o.Out, "%s: %s\n", email, did)
	return err
}

func setAdmin(admin bool) func(context.Context, operator) error {
	did := map[bool]string{true: "has the admin right", false: "has no admin right; its sessions have ended"}[admin]
	return func(ctx context.Context, o operator) error {
		email, err := emailOf(o)
		if err != nil {
			return err
		}
		var changed bool
		err = operate(ctx, o, func(ctx context.Context, domain *account.Service) error {
			changed, err = domain.SetAdmin(ctx, email, admin)
			return err
		})
		switch {
		case fault.Is(err, fault.NotFound):
			return fmt.Errorf("%s: there is no such member", email)
		case err != nil:
			return err
		case !changed:
			_, err = fmt.Fprintf(o.Out, "%s: nothing to change\n", email)
		default:
			_, err = fmt.Fprintf(o.Out, "%s: %s\n", email, did)
		}
		return err
	}
}

func listAdmins(ctx context.Context, o operator) error {
	table := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(table, "ID\tEMAIL\tACTIVE\tSINCE")
	if err != nil {
		return err
	}
	err = operate(ctx, o, func(ctx context.Context, domain *account.Service) error {
		for next := domain.Admins(); ; {
			admins, err := next(ctx)
			if err != nil || len(admins) == 0 {
				return err
			}
			for _, admin := range admins {
				active := map[bool]string{true: "yes", false: "no"}[admin.Active]
				since := admin.CreatedAt.In(o.Config.TimeZone.Location).Format("2006-01-02")
				if _, err := fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", admin.ID, admin.Email, active, since); err != nil {
					return err
				}
			}
		}
	})
	return errors.Join(err, table.Flush())
}

// readPassword asks on a terminal, without echo, or takes the first line of what is piped in.
func readPassword(in io.Reader, ask io.Writer) (string, error) {
	if file, isFile := in.(*os.File); isFile && term.IsTerminal(int(file.Fd())) {
		if _, err := fmt.Fprint(ask, "Password: "); err != nil {
			return "", err
		}
		password, err := term.ReadPassword(int(file.Fd()))
		_, lineErr := fmt.Fprintln(ask)
		return string(password), errors.Join(err, lineErr)
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
