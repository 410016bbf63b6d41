package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
)

// memberGrams is the table of the pieces of members' names and emails.
var memberGrams = &listsql.Table{
	Name:    "member_grams",
	Columns: map[string]listsql.Column{"gram": {Name: "gram", Kind: listsql.Text}},
}

const (
	// A search looks at every member where even the rarest piece of its words is of more members than these: that takes no longer.
	maxHolders = 20_000
	// maxDue is how many members without their pieces are looked at beside the others. While there are more, a search looks at all.
	maxDue = 500
	// maxPieces is how many pieces of a word are counted, to find a rare one.
	maxPieces = 8
)

// pieces are what a search may begin with.
type pieces struct {
	// of holds some pieces of each term.
	of [][]string
	// due are the members whose pieces are not known.
	due []uint64
	// holders is how many members have a piece, at most maxHolders + 1.
	holders map[string]int
}

// lookUp returns what is known of the terms. It reads nothing that grows with the number of members.
func lookUp(ctx context.Context, reader mysqlx.Reader, terms []string) (found pieces, err error) {
	if found.of, err = piecesOf(ctx, reader, terms); err != nil {
		return found, err
	}
	if asked := slices.Concat(found.of...); len(asked) > 0 {
		found.holders, found.due, err = count(ctx, reader, asked)
	}
	return found, err
}

// ways are the ways to all members that hold each of some terms. There are none where it takes less to look at every member.
func (p pieces) ways(terms ...int) []listsql.Way {
	rarest, least := "", maxHolders+1
	for _, term := range terms {
		for _, piece := range p.of[term] {
			if p.holders[piece] < least {
				rarest, least = piece, p.holders[piece]
			}
		}
	}
	if least > maxHolders || len(p.due) > maxDue {
		return nil
	}
	return Ways(rarest, p.due)
}

// Ways returns the ways to the members who have a piece, and to those whose pieces are not known.
func Ways(piece string, due []uint64) []listsql.Way {
	ways := []listsql.Way{{Table: memberGrams, ID: "member_id", Index: "PRIMARY", Where: []listsql.Condition{listsql.Is("gram", []byte(piece))}}}
	if len(due) > 0 {
		ways = append(ways, listsql.Way{Index: "PRIMARY", Where: []listsql.Condition{listsql.In("id", due)}})
	}
	return ways
}

// piecesOf returns some pieces of each term. The server folds the terms, as it folds what they are looked for in, unless that is the same
// everywhere.
func piecesOf(ctx context.Context, reader mysqlx.Reader, terms []string) ([][]string, error) {
	folded := make([]string, len(terms))
	var asked []string
	var args, targets []any
	for i, term := range terms {
		if plain(term) {
			folded[i] = strings.ToLower(term)
			continue
		}
		asked, args, targets = append(asked, listsql.Folded("?")), append(args, term), append(targets, &folded[i])
	}
	if len(asked) > 0 {
		if err := reader.QueryRowContext(ctx, "SELECT "+strings.Join(asked, ", "), args...).Scan(targets...); err != nil {
			return nil, err
		}
	}
	of := make([][]string, len(terms))
	for i := range terms {
		of[i] = some(gramsOf(folded[i]))
	}
	return of, nil
}

// plain says that a text consists of ASCII characters and of Korean syllables, which have no case.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(char rune) bool { return char > unicode.MaxASCII && (char < '가' || char > '힣') })
}

// some returns at most maxPieces of all pieces, from all over them.
func some(all []string) []string {
	if len(all) <= maxPieces {
		return all
	}
	chosen := make([]string, maxPieces)
	for i := range chosen {
		chosen[i] = all[i*len(all)/maxPieces]
	}
	return chosen
}

// count returns how many members have each piece, as far as maxHolders + 1, and the members whose pieces are not known, as far as maxDue + 1.
func count(ctx context.Context, reader mysqlx.Reader, asked []string) (holders map[string]int, due []uint64, err error) {
	var statement strings.Builder
	var args []any
	for i, piece := range asked {
		fmt.Fprintf(&statement, "SELECT %d, COUNT(*) FROM (SELECT 1 FROM member_grams WHERE gram = ? LIMIT %d) AS counted UNION ALL ", i, maxHolders+1)
		args = append(args, []byte(piece))
	}
	fmt.Fprintf(&statement, "(SELECT %d, id FROM members FORCE INDEX (members_grams_due) WHERE grams_due = TRUE LIMIT %d)", len(asked), maxDue+1)
	rows, err := reader.QueryContext(ctx, statement.String(), args...)
	if err != nil {
		return nil, nil, err
	}
	holders = map[string]int{}
	err = scanned(rows, func(scan func(...any) error) error {
		var piece int
		var value uint64
		if err := scan(&piece, &value); err != nil {
			return err
		}
		if piece == len(asked) {
			due = append(due, value)
		} else {
			holders[asked[piece]] = int(value)
		}
		return nil
	})
	return holders, due, err
}

// scanned hands over each row and closes them.
func scanned(rows *sql.Rows, row func(scan func(...any) error) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
