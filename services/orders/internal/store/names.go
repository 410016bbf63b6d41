package store

import (
	"context"
	"slices"
	"strings"

	"github.com/maypok86/otter/v2"

	"oms.internal/libs/mysqlx"
)

// maxKnownNames is how many names of products a process remembers: 4 MB if all are of the greatest length.
const maxKnownNames = 10_000

// productName is a name in the table product_names, in one epoch of the database. A promotion may have lost it.
type productName struct {
	epoch uint64
	name  string
}

// knownNames are names that are known to be committed, so that a transaction need not write them again.
type knownNames struct {
	cache *otter.Cache[productName, struct{}]
}

func newKnownNames() knownNames {
	return knownNames{otter.Must(&otter.Options[productName, struct{}]{MaximumSize: maxKnownNames})}
}

// naming is what one transaction adds to product_names.
type naming struct {
	known knownNames
	epoch uint64
	added []productName
}

// name adds names of products within the transaction, unless they are known to be there. A transaction adds all its names at once and
// in one order, so that two of them do not wait for each other in a circle.
func (n *naming) name(ctx context.Context, writer mysqlx.Writer, names ...string) error {
	var args []any
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		added := productName{n.epoch, name}
		if _, known := n.known.cache.GetIfPresent(added); !known {
			n.added, args = append(n.added, added), append(args, name)
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err := writer.ExecContext(ctx, "INSERT IGNORE INTO product_names (name) VALUES (?)"+strings.Repeat(", (?)", len(args)-1), args...)
	return err
}

// committed remembers what the transaction has added.
func (n *naming) committed() {
	for _, added := range n.added {
		n.known.cache.Set(added, struct{}{})
	}
}
