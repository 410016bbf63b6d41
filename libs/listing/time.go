package listing

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timeForm matches the forms of ISO 8601 and RFC 3339 that are read: a date, or a date and a time, with separators or without.
// Minutes, seconds and their fraction (behind a point or a comma) may be left out. So may the offset, which is Z, hours, or
// hours and minutes.
var timeForm = regexp.MustCompile(`^(\d{4})(-?)(\d\d)(-?)(\d\d)` +
	`(?:[Tt ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,18}))?)?)?([Zz]|[+ -]\d\d(?::?\d\d)?)?)?$`)

// What a DATETIME column can hold, and be compared with.
var (
	earliest = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

var errTime = errors.New("not a time")

// ParseTime reads a time from a query parameter. Without an offset it is in zone. A '+' that was not escaped arrives as a blank,
// and is read as '+'. The result is in UTC and whole microseconds, rounded up: a stored time, which has microseconds, is before
// the result exactly when it is before the time in the text. A time that no column can hold becomes the nearest one that it can.
func ParseTime(text string, zone *time.Location) (time.Time, error) {
	parts := timeForm.FindStringSubmatch(text)
	if parts == nil || parts[2] != parts[4] {
		return time.Time{}, errTime
	}
	number := func(part int) int { value, _ := strconv.Atoi(parts[part]); return value } // only digits, or nothing: 0
	year, month, day := number(1), number(3), number(5)
	hour, minute, second := number(6), number(7), number(8)
	if offset := parts[10]; offset != "" {
		var err error
		if zone, err = parseOffset(offset); err != nil {
			return time.Time{}, err
		}
	}
	fraction, _ := strconv.Atoi((parts[9] + "000000000")[:9])
	// RFC 3339 writes the end of a leap second as second 60.
	if year == 0 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, errTime
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Month() != time.Month(month) || date.Day() != day {
		return time.Time{}, errTime // such as February 30
	}
	at := time.Date(year, time.Month(month), day, hour, minute, second, fraction, zone).UTC()
	if whole := at.Truncate(time.Microsecond); at != whole || strings.Trim(parts[9][min(9, len(parts[9])):], "0") != "" {
		at = whole.Add(time.Microsecond)
	}
	switch {
	case at.Before(earliest):
		return earliest, nil
	case at.After(latest):
		return latest, nil
	}
	return at, nil
}

// parseOffset reads Z, ±hh, ±hhmm or ±hh:mm.
func parseOffset(text string) (*time.Location, error) {
	if strings.EqualFold(text, "Z") {
		return time.UTC, nil
	}
	digits := strings.Replace(text[1:], ":", "", 1) + "00"
	hours, _ := strconv.Atoi(digits[:2])
	minutes, _ := strconv.Atoi(digits[2:4])
	if hours > 23 || minutes > 59 {
		return nil, errTime
	}
	seconds := (hours*60 + minutes) * 60
	if text[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), nil
}
