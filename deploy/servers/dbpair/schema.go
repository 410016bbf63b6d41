package dbpair

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
)

// Login is a database user.
type Login struct {
	User     string
	Password string
}

// Schema is an empty database and the two users that a service has on it.
type Schema struct {
	Name    string
	App     Login // may read and change rows of this schema, and nothing else
	Migrate Login // may do everything in this schema, and let App do it, and nothing outside it
}

// CreateSchema makes a schema with a random name and its two users. It returns when the replica has them, too.
func (p *Pair) CreateSchema(ctx context.Context) (Schema, error) {
	name := "t_" + strings.ToLower(rand.Text()[:12])
	schema := Schema{
		Name:    name,
		App:     Login{User: name + "_app", Password: rand.Text()},
		Migrate: Login{User: name + "_migrate", Password: rand.Text()},
	}
	granting := map[Login]string{schema.Migrate: " WITH GRANT OPTION"}
	statements := []string{"CREATE DATABASE " + name}
	for login, rights := range map[Login]string{
		schema.App: "SELECT, INSERT, UPDATE, DELETE", schema.Migrate: "ALL PRIVILEGES",
	} {
		statements = append(statements,
			fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY %s", login.User, quote(login.Password)),
			fmt.Sprintf("GRANT %s ON %s.* TO '%s'@'%%'%s", rights, name, login.User, granting[login]))
	}
	if err := p.Primary.exec(ctx, statements...); err != nil {
		return Schema{}, fmt.Errorf("create schema: %w", err)
	}
	if err := p.Sync(ctx); err != nil {
		return Schema{}, fmt.Errorf("create schema: %w", err)
	}
	return schema, nil
}
