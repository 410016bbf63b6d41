// Package sql holds the migrations of each service's schema, embedded, so that a binary brings the schema that it needs.
// The queries beside them are input of sqlc only. It imports nothing of this project.
package sql

import (
	"embed"
	"io/fs"
)

//go:embed accounts/migrations/*.sql
var accounts embed.FS

//go:embed orders/migrations/*.sql
var orders embed.FS

// Accounts returns the migrations of the schema accounts.
func Accounts() fs.FS { return sub(accounts, "accounts/migrations") }

// Orders returns the migrations of the schema orders.
func Orders() fs.FS { return sub(orders, "orders/migrations") }

func sub(files embed.FS, dir string) fs.FS {
	result, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the path is a constant that the embed directive above has checked
	}
	return result
}
