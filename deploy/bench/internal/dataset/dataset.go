// Package dataset fills an empty system with members and orders, as many as a benchmark needs. Each server of the pair executes the same
// statements for itself, without a binary log, because that uses both cores; in the end their rows are compared. Its statements
// are MariaDB's.
//
// What the services keep beside a row must be written here, too: whoever adds such a table adds it to this package.
package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Size is how much there is. Members must be a multiple of 100.
type Size struct {
	Members int `json:"members"`
	Orders  int `json:"orders"`
}

// String is the size for people and for names of folders.
func (s Size) String() string { return fmt.Sprintf("%d-%d", s.Members, s.Orders) }

// The members that differ from others, by their ids. Every other one has about as many orders as there are orders a member.
const (
	Admin = 1 // has the right to everything
	Great = 2 // has one order in ten
	Large = 3 // has one order in a hundred
)

// The words to search for.
const (
	CommonProduct = "한정판" // in the products of one order in a hundred
	RareProduct   = "산호초" // of twenty orders
	CommonName    = "선기"  // in the names of one member in a hundred
	RareName      = "남궁"  // of twenty members
	// Rare is how many rows hold a rare word.
	Rare = 20
	// often is how many rows there are for each one that holds a common word.
	often = 100
)

// Common returns how many of so many rows hold a common word.
func Common(rows int) int { return rows / often }

// Email returns the email of a member. All members have Password.
func Email(id int) string { return fmt.Sprintf("m%d@bench.test", id) }

// Recorded reports whether a folder holds the data of this size, as this version makes them.
func Recorded(folder string, size Size) (bool, error) {
	content, err := os.ReadFile(recordIn(folder))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	var found record
	if err == nil {
		err = json.Unmarshal(content, &found)
	}
	return found == recordOf(size), err
}

// record is what is in a folder. The version is a digest of all statements, so that nobody must remember to count it up.
type record struct {
	Size
	Version string `json:"version"`
}

func recordOf(size Size) record {
	var all strings.Builder
	for _, table := range tables(size, "") {
		all.WriteString(table.insert + table.Name + table.schema)
	}
	sum := sha256.Sum256([]byte(all.String()))
	return record{size, hex.EncodeToString(sum[:8])}
}

func recordIn(folder string) string { return filepath.Join(folder, "dataset.json") }

func writeRecord(folder string, size Size) error {
	content, err := json.Marshal(recordOf(size))
	if err != nil {
		return err
	}
	return os.WriteFile(recordIn(folder), content, 0o600)
}
