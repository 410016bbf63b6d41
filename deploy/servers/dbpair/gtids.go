package dbpair

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// gtids are positions of MariaDB: the highest number by origin. An origin is a domain and a server, such as "0-1".
type gtids map[string]uint64

// parseGTIDs reads a list such as "0-1-100,0-2-105".
func parseGTIDs(text string) (gtids, error) {
	parsed := gtids{}
	for gtid := range strings.SplitSeq(text, ",") {
		gtid = strings.TrimSpace(gtid)
		if gtid == "" {
			continue
		}
		end := strings.LastIndexByte(gtid, '-')
		number, err := strconv.ParseUint(gtid[end+1:], 10, 64)
		if err != nil || end < 0 {
			return nil, fmt.Errorf("%q is not a GTID", gtid)
		}
		parsed[gtid[:end]] = number
	}
	return parsed, nil
}

func queryGTIDs(ctx context.Context, db *sql.DB, query string, arguments ...any) (gtids, error) {
	text, err := queryText(ctx, db, query, arguments...)
	if err != nil {
		return nil, err
	}
	return parseGTIDs(text)
}

// exceed reports whether an origin has a higher number here than in other.
func (g gtids) exceed(other gtids) bool {
	for origin, number := range g {
		if number > other[origin] {
			return true
		}
	}
	return false
}

// byDomain returns the highest number by domain.
func (g gtids) byDomain() gtids {
	highest := gtids{}
	for origin, number := range g {
		domain, _, _ := strings.Cut(origin, "-")
		highest[domain] = max(highest[domain], number)
	}
	return highest
}
