package database

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/secret"
)

// users are the users of the database and the secrets that hold their passwords. The first one is root.
var users = [][2]string{
	{"root", "mysql-root"}, {"replicator", "mysql-replicator"}, {"ops", "mysql-ops"},
	{"accounts_app", "mysql-accounts-app"}, {"accounts_migrate", "mysql-accounts-migrate"},
	{"orders_app", "mysql-orders-app"}, {"orders_migrate", "mysql-orders-migrate"},
}

// CheckPasswords logs in to the primary as each user. It reports the secrets in dir that hold another password than the database knows. A
// service that reads such a secret would wait for the database for ever.
func CheckPasswords(ctx context.Context, primary *dbpair.Server, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var problems []error
	for _, user := range users {
		password, err := secret.Read(dir, user[1])
		if err == nil {
			err = logIn(ctx, primary, user[0], password)
		}
		problems = append(problems, explain(err, user, dir))
	}
	return errors.Join(problems...)
}

func logIn(ctx context.Context, server *dbpair.Server, user, password string) error {
	db, err := server.Open(user, password, "")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is lost
	return db.PingContext(ctx)
}

// Explain says that a server refused root because of the secret, if that is why err happened.
func Explain(err error, dir string) error { return explain(err, users[0], dir) }

func explain(err error, user [2]string, dir string) error {
	const accessDenied = 1045
	if refused, is := errors.AsType[*mysql.MySQLError](err); is && refused.Number == accessDenied {
		return fmt.Errorf("secret %s: the database knows another password of %s than %s holds; put the right file back from a copy (%w)",
			user[1], user[0], filepath.Join(dir, user[1]), refused)
	}
	return err
}
