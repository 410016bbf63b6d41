package backup

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
)

// textOf returns the text of a file without its last two lines.
func textOf(t *testing.T, path string) string {
	t.Helper()
	var text strings.Builder
	_, err := readFile(t.Context(), path, &text, &progress{}, nil)
	require.NoError(t, err)
	before, _, found := strings.Cut(text.String(), contents)
	require.True(t, found)
	return before
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestAVerificationEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oms.sql")
	writeText(t, path, resealed(t, sample(10)))
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, Check(ctx, path, io.Discard))
	cancel()
	require.ErrorIs(t, Check(ctx, path, io.Discard), context.Canceled)
}

func TestWhatAKilledBackupLeftIsRemovedAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	being, err := os.CreateTemp(folder, unfinished+"*")
	require.NoError(t, err)
	require.True(t, inUse(being))
	writeText(t, filepath.Join(folder, unfinished+"1"), "killed")
	writeText(t, filepath.Join(folder, "oms.sql"), "complete")
	require.NoError(t, removeUnfinished(folder))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.FileExists(t, being.Name())
	require.FileExists(t, filepath.Join(folder, "oms.sql"))
	require.NoError(t, being.Close())
	require.NoError(t, removeUnfinished(folder))
	require.NoFileExists(t, being.Name())
}

// resealed returns a text as a whole backup. Its header may name any engine.
func resealed(t *testing.T, text string) string {
	t.Helper()
	return sealedAs(t, text, Contents{Engine: dbpair.Engine(strings.Split(strings.TrimPrefix(text, header), ",")[0])})
}

func newer(t *testing.T, text string) string {
	t.Helper()
	is := Contents{Engine: dbpair.Engine(strings.Split(strings.TrimPrefix(text, header), ",")[0])}
	is.Migrations = map[string]int64{"accounts": 100000}
	return sealedAs(t, text, is)
}

func sealedAs(t *testing.T, text string, is Contents) string {
	t.Helper()
	var file strings.Builder
	sealed := newSealing(&file, &progress{})
	_, err := io.WriteString(sealed, text)
	require.NoError(t, err)
	require.NoError(t, sealed.seal(is))
	return file.String()
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := io.WriteString(writer, text)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return out.Bytes()
}

// sample is a backup with a row in each line, as MariaDB writes it, and another table as MySQL writes it.
func sample(rows int) string {
	var text strings.Builder
	text.WriteString(header + "mariadb, 2026-11-30T00:00:00Z\nUSE `accounts`;\nCREATE TABLE `members` (\n  `id` int,\n);\n")
	text.WriteString("CREATE TABLE `empty` (\n);\nINSERT INTO `members` VALUES\n")
	for i := range rows {
		fmt.Fprintf(&text, "(%d,'it\\'s (%d), \\\\',0x00FF,NULL)%s\n", i, i, map[bool]string{true: ";", false: ","}[i == rows-1])
	}
	text.WriteString("USE `orders`;\nCREATE TABLE `orders` (\n);\nINSERT INTO `orders` (`id`, `na(me`) VALUES (1,'a;b'),(2,'VALUES (3)');\n")
	text.WriteString("USE `accounts`;\nINSERT INTO `members` VALUES (7,'more','',1);\n" + dbpair.DumpEnd)
	return text.String()
}

func TestTheRowsOfADumpAreCountedByTableInPiecesOfAnySize(t *testing.T) {
	t.Parallel()
	text := sample(100)
	for _, piece := range []int{1, 7, len(text)} {
		counted := newTally()
		for rest := []byte(text); len(rest) > 0; {
			length := min(piece, len(rest))
			_, err := counted.Write(rest[:length])
			require.NoError(t, err)
			rest = rest[length:]
		}
		require.Equal(t, map[string]int64{"accounts.members": 101, "accounts.empty": 0, "orders.orders": 2}, counted.rows)
		require.Equal(t, int64(103), counted.total)
	}
}

func TestAFileThatWasCutChangedOrGluedIsRefused(t *testing.T) {
	t.Parallel()
	whole := resealed(t, sample(2000))
	lines := strings.SplitAfter(whole, "\n")
	old := oldHeader + strings.TrimPrefix(sample(2), header)
	end := len(whole) - len(lines[len(lines)-2])
	for name, one := range map[string]struct{ text, want string }{
		"1,000 rows cut out":                {strings.Join(lines[:10], "") + strings.Join(lines[1010:], ""), "was cut or changed"},
		"a row changed":                     {strings.Replace(whole, "it\\'s (77)", "it\\'s (78)", 1), "was cut or changed"},
		"a middle cut, the end kept":        {whole[:500] + whole[len(whole)-700:], "was cut or changed"},
		"the last line cut":                 {whole[:end], "the end of the backup is missing"},
		"the last character cut":            {whole[:len(whole)-2], "was cut or changed"},
		"what it says changed":              {strings.Replace(whole, `"accounts.members":2001`, `"accounts.members":2002`, 1), "was cut or changed"},
		"rows and digest of another writer": {falseRows(t), "accounts.members has 3 rows instead of 9"},
		"two files":                         {whole + whole, "two files in one"},
		"two files, the first without seal": {whole[:end] + whole, "was cut or changed"},
		"two old files":                     {old + old, "two backups in one"},
		"an old file cut":                   {old[:len(old)-10], "the end of the backup is missing"},
		"more at the end":                   {whole + "DROP DATABASE accounts;\n", "written to later"},
		"no backup":                         {"DROP DATABASE accounts;\n", "not a backup of OMS"},
		"nothing":                           {"", "not a backup of OMS"},
		"a later form":                      {"-- OMS backup 3 of mariadb\n", "this release does not know"},
		"another schema":                    {resealed(t, header+"mariadb, now\nUSE `mysql`;\n"+dbpair.DumpEnd), "the schema mysql"},
	} {
		_, err := read(t.Context(), strings.NewReader(one.text), io.Discard, &progress{}, nil)
		require.ErrorContains(t, err, one.want, name)
		_, err = read(t.Context(), bytes.NewReader(packed(t, one.text)), io.Discard, &progress{}, nil)
		require.ErrorContains(t, err, one.want, name)
	}
	twice := append(packed(t, whole), packed(t, whole)...)
	_, err := read(t.Context(), bytes.NewReader(twice), io.Discard, &progress{}, nil)
	require.ErrorContains(t, err, "two files in one")

	found, err := read(t.Context(), strings.NewReader(whole), io.Discard, &progress{}, nil)
	require.NoError(t, err)
	require.True(t, found.Sealed)
	require.Equal(t, int64(2001), found.Rows["accounts.members"])
}

// falseRows is a file whose SHA-256 is right, but which does not hold what it says.
func falseRows(t *testing.T) string {
	t.Helper()
	var file strings.Builder
	sealed := newSealing(&file, &progress{})
	line, err := json.Marshal(Contents{Rows: map[string]int64{"accounts.members": 9, "accounts.empty": 0, "orders.orders": 2}})
	require.NoError(t, err)
	_, err = fmt.Fprintf(sealed, "%s%s%s\n", sample(2), contents, line)
	require.NoError(t, err)
	return file.String() + fmt.Sprintf("%s%x\n", lastLine, sealed.digest.Sum(nil))
}

func TestABitThatWasFlippedInACompressedFileIsSeenOrChangesNothing(t *testing.T) {
	t.Parallel()
	whole := resealed(t, sample(5))
	file := packed(t, whole)
	seen := 0
	for bit := range len(file) * 8 {
		file[bit/8] ^= 1 << (bit % 8)
		var text strings.Builder
		if _, err := read(t.Context(), bytes.NewReader(file), &text, &progress{}, nil); err != nil {
			seen++
		} else {
			require.Equal(t, whole, text.String(), "bit %d", bit)
		}
		file[bit/8] ^= 1 << (bit % 8)
	}
	require.Greater(t, seen, len(file)*7)
}

func TestOnlyLinesThatNameASchemaAreChangedWhenAFileIsLoaded(t *testing.T) {
	t.Parallel()
	const data = "INSERT INTO `members` VALUES\n(1,'a'),\n(2,'b');\n"
	var loaded strings.Builder
	_, err := read(t.Context(), strings.NewReader(resealed(t, header+"mariadb, now\n/*!40000 DROP DATABASE IF EXISTS `accounts`*/;\n"+
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `accounts` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\nUSE `accounts`;\n"+
		"CREATE TABLE `accounts` (\n);\n"+data+dbpair.DumpEnd)), &loaded, &progress{}, intoLoaded)
	require.NoError(t, err)
	require.Contains(t, loaded.String(), "/*!40000 DROP DATABASE IF EXISTS `oms_restoring_accounts`*/;\n"+
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `oms_restoring_accounts` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\n"+
		"USE `oms_restoring_accounts`;\nCREATE TABLE `accounts` (\n);\n"+data)
}

func TestABackupThatCannotBeCreatedIsNamedAsTheOperatorNamedIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "backup.sql")
	err := Write(t.Context(), nil, path, io.Discard)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, path)
	require.NotContains(t, err.Error(), ".oms-backup")
}
