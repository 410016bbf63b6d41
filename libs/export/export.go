// Package export answers with the rows of a list as a file, which a desk opens in a spreadsheet (CSV) or a program reads (NDJSON).
// Whatever their number, only some rows are in memory at a time.
//
// The rows are flat structs, whose JSON names are the columns. It does not know where rows come from.
package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"oms.internal/libs/fault"
)

// Format is one of the forms of a file.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// Choose returns the format that the client names in the parameter format. Without one it is the one of the two that the
// client prefers in the header Accept (RFC 9110, section 12.5.1), else CSV.
func Choose(named, accept string) (Format, error) {
	switch named {
	case string(CSV), string(NDJSON):
		return Format(named), nil
	case "":
		return preferred(accept), nil
	}
	return "", fault.InvalidField("format", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", named))
}

// preferred is the format with the greatest weight in Accept. Media types are the same in every case, and parameters such as
// charset do not matter.
func preferred(accept string) Format {
	format, greatest := CSV, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		weight := 1.0
		if err == nil && parameters["q"] != "" {
			weight, err = strconv.ParseFloat(parameters["q"], 64)
		}
		if err != nil || weight <= greatest {
			continue
		}
		switch mediaType {
		case "application/x-ndjson", "application/ndjson":
			format, greatest = NDJSON, weight
		case "text/csv", "text/*", "*/*":
			format, greatest = CSV, weight
		}
	}
	return format
}

// ContentType is the media type of a file.
func (f Format) ContentType() string {
	if f == NDJSON {
		return "application/x-ndjson"
	}
	return "text/csv; charset=utf-8; header=present"
}

// Begin returns what stands before the rows: of a CSV file the mark that makes Excel read UTF-8, and the columns.
func Begin[Row any](format Format) ([]byte, error) {
	if format == NDJSON {
		return nil, nil
	}
	var names []string
	for field := range fieldsOf[Row]() {
		names = append(names, field)
	}
	return csvOf([][]string{names}, "\ufeff")
}

// Encode returns rows as they stand in a file.
func Encode[Row any](format Format, rows []Row) ([]byte, error) {
	if format == NDJSON {
		buffer := &bytes.Buffer{}
		encoder := json.NewEncoder(buffer) // ends each value with a line feed
		for _, row := range rows {
			if err := encoder.Encode(row); err != nil {
				return nil, err
			}
		}
		return buffer.Bytes(), nil
	}
	records := make([][]string, len(rows))
	for i, row := range rows {
		value := reflect.ValueOf(row)
		for n := range value.NumField() {
			records[i] = append(records[i], cell(value.Field(n)))
		}
	}
	return csvOf(records, "")
}

func csvOf(records [][]string, before string) ([]byte, error) {
	const lineFeed, endOfRecord = "\n", "\r\n" // RFC 4180
	buffer := bytes.NewBufferString(before)
	writer := csv.NewWriter(buffer)
	for _, record := range records {
		// The writer's own UseCRLF would change line breaks within the texts, too.
		if err := writer.WriteAll([][]string{record}); err != nil {
			return nil, err
		}
		buffer.Truncate(buffer.Len() - len(lineFeed))
		buffer.WriteString(endOfRecord)
	}
	return buffer.Bytes(), nil
}

// fieldsOf yields the JSON names of a struct's fields.
func fieldsOf[Row any]() func(yield func(string) bool) {
	kind := reflect.TypeFor[Row]()
	return func(yield func(string) bool) {
		for i := range kind.NumField() {
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if !yield(name) {
				return
			}
		}
	}
}

// cell is a value as a spreadsheet shows it. nil is an empty cell.
func cell(value reflect.Value) string {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	if value.Kind() == reflect.String {
		return defused(value.String())
	}
	return fmt.Sprint(value.Interface())
}

// defused returns a text that no spreadsheet takes for a formula: one that begins as a formula may (OWASP, CSV injection) gets
// an apostrophe in front, which spreadsheets do not show.
func defused(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && text != "" {
		return "'" + text
	}
	return text
}
