// Package imports brings the members of a drf-oms database, with their sessions, into the store. It knows the tables of drf-oms, and which
// of their rows can be members here. What happens to the rows is the store's.
package imports

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/password"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/drf"
)

// Members is the table of drf-oms's members. What it takes ends up in the store.
func Members(to *store.Store, domain *account.Service) *drf.Table[uint64] {
	seen := map[string]uint64{} // in a dry run, where the store does not get to know them
	return &drf.Table[uint64]{
		Name:  "member",
		Count: "SELECT COUNT(*) FROM accounts_user",
		Query: `SELECT id, password, email, name, nickname, phone, gender, created_at, is_active, is_admin FROM accounts_user ORDER BY id`,
		Key:   drf.ParseID, Secret: 1,
		Known: to.MembersAfter,
		Apply: func(ctx context.Context, batch []drf.Difference[uint64], dry bool) (drf.Result, error) {
			members := make([]store.Elsewhere, len(batch))
			for i, difference := range batch {
				members[i] = store.Elsewhere{Kind: difference.Kind, ID: difference.Key, Source: difference.Source}
				if difference.Kind == drf.Gone {
					continue
				}
				member, err := readMember(difference.Key, difference.Fields)
				if err == nil && dry {
					err = meet(seen, member)
				}
				if err != nil {
					members[i].Problem = err.Error()
				}
				members[i].Value = member
			}
			result, revocations, err := to.ImportMembers(ctx, domain, members, dry)
			if err == nil {
				domain.Publish(ctx, revocations)
			}
			return result, err
		},
	}
}

// meet refuses a member whose mailbox another row of the source has.
func meet(seen map[string]uint64, member account.Member) error {
	mailbox := account.Mailbox(member.Email)
	if other, met := seen[mailbox]; met && other != member.ID {
		return fmt.Errorf("its email names the mailbox of member %d of the source", other)
	}
	seen[mailbox] = member.ID
	return nil
}

// readMember makes a member of a row. Texts get the form in which they are stored here; what drf-oms took from its clients is in bounds.
func readMember(id uint64, fields []sql.NullString) (account.Member, error) {
	text := func(place int) string { return fields[place].String }
	member := account.Member{
		ID: id, PasswordHash: text(1), Email: text(2), Name: composed(text(3)), Nickname: composed(text(4)), Phone: composed(text(5)), Gender: text(6),
		Active: text(8) == "1", Admin: text(9) == "1", Version: 1,
	}
	for _, field := range []struct {
		name, text string
		most       int
	}{
		{"email", member.Email, account.MaxEmail}, {"name", member.Name, account.MaxName},
		{"nickname", member.Nickname, account.MaxNickname}, {"phone", member.Phone, account.MaxPhone},
	} {
		if count := utf8.RuneCountInString(field.text); count > field.most || !utf8.ValidString(field.text) {
			return member, fmt.Errorf("its %s is longer than %d characters, or no text", field.name, field.most)
		}
	}
	if account.Mailbox(member.Email) == "" {
		return member, fmt.Errorf("its email %q is not a valid address", member.Email)
	}
	if member.Gender != "" && member.Gender != "M" && member.Gender != "F" {
		return member, fmt.Errorf("its gender is %q, which is neither M nor F", member.Gender)
	}
	var err error
	if member.PasswordHash, err = readHash(text(1)); err != nil {
		return member, err
	}
	if member.CreatedAt, err = drf.ParseTime(text(7)); err != nil {
		return member, fmt.Errorf("it was created at %w", err)
	}
	return member, nil
}

// unusable begins what Django stores for a member without a password.
const unusable = "!"

func readHash(hash string) (string, error) {
	switch {
	case strings.HasPrefix(hash, unusable):
		return "", nil // no password is right
	case password.IsDjango(hash):
		return hash, nil
	}
	algorithm, _, _ := strings.Cut(hash, "$")
	if len(algorithm) > 30 || algorithm == hash {
		return "", errors.New("its password is hashed in a form that is not known here")
	}
	return "", fmt.Errorf("its password is hashed by %s, which cannot be checked here", strconv.Quote(algorithm))
}

func composed(text string) string { return norm.NFC.String(text) }
