package export_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/export"
	"oms.internal/libs/fault"
)

type row struct {
	ID     uint64  `json:"id"`
	Name   string  `json:"name"`
	Gender *string `json:"gender,omitempty"`
	Active bool    `json:"is_active"`
}

func TestASpreadsheetReadsTheFileAndTakesNoTextForAFormula(t *testing.T) {
	t.Parallel()
	head, err := export.Begin[row](export.CSV)
	require.NoError(t, err)
	require.Equal(t, "\ufeffid,name,gender,is_active\r\n", string(head))
	for name, cell := range map[string]string{
		"꽃다발": "꽃다발", "a,b": `"a,b"`, `say "x"`: `"say ""x"""`, "": "",
		`=HYPERLINK("http://x.test","y")`: `"'=HYPERLINK(""http://x.test"",""y"")"`,
		"+1":                              "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "\"'\rx\"", "\nx": "\"'\nx\"", "＝1": "'＝1", "a=1": "a=1", "a\rb\nc\r\nd": "\"a\rb\nc\r\nd\"",
	} {
		encoded, err := export.Encode(export.CSV, []row{{ID: 7, Name: name, Gender: new("=M"), Active: true}, {}})
		require.NoError(t, err)
		require.Equal(t, "7,"+cell+",'=M,true\r\n0,,,false\r\n", string(encoded), name)
	}
}

func TestAProgramReadsOneObjectALine(t *testing.T) {
	t.Parallel()
	head, err := export.Begin[row](export.NDJSON)
	require.NoError(t, err)
	require.Empty(t, head)
	encoded, err := export.Encode(export.NDJSON, []row{{ID: 7, Name: "=꽃\n다발"}, {ID: 8}})
	require.NoError(t, err)
	lines := strings.SplitAfter(string(encoded), "\n")
	require.Len(t, lines, 3)
	require.JSONEq(t, `{"id":7,"name":"=꽃\n다발","is_active":false}`, lines[0])
	require.JSONEq(t, `{"id":8,"name":"","is_active":false}`, lines[1])
	require.Empty(t, lines[2])
}

func TestTheFormatIsTheOneThatIsNamedOrAccepted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		named, accept string
		want          export.Format
	}{
		{"csv", "application/x-ndjson", export.CSV}, {"ndjson", "text/csv", export.NDJSON}, {"", "text/csv", export.CSV},
		{"", "application/x-ndjson", export.NDJSON}, {"", "application/ndjson", export.NDJSON}, {"", "", export.CSV},
		{"", "Application/X-NDJSON; charset=utf-8", export.NDJSON}, {"", "*/*", export.CSV}, {"", "application/x-ndjson, */*;q=0.1", export.NDJSON},
		{"", "text/csv;q=0.5,application/x-ndjson;q=0.6", export.NDJSON}, {"", "text/csv, application/x-ndjson", export.CSV},
		{"", "application/x-ndjson;q=0", export.CSV}, {"", "application/x-ndjson;q=x, ,/", export.CSV}, {"", "application/json", export.CSV},
	} {
		format, err := export.Choose(test.named, test.accept)
		require.NoError(t, err)
		require.Equal(t, test.want, format, "%+v", test)
	}
	_, err := export.Choose("xlsx", "")
	require.Equal(t, map[string][]string{"format": {"Select a valid choice. xlsx is not one of the available choices."}}, fault.Of(err).Fields)
}
