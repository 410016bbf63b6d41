package dbpair

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheHeartbeatsOfADumpComeLast(t *testing.T) {
	t.Parallel()
	const dump = "SET @@SESSION.SQL_LOG_BIN= 0;\n-- Current Database: `a`\nUSE `a`;\n-- Table structure for table `heartbeat`\nCREATE heartbeat;\n" +
		"-- Table structure for table `rows`\nCREATE rows;\n-- Current Database: `b`\nUSE `b`;\n" +
		"-- Table structure for table `heartbeat`\nCREATE heartbeat 2;\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n"
	var out strings.Builder
	_, err := arrange(strings.NewReader(dump), &out, false)
	require.NoError(t, err)
	require.Equal(t, "-- Current Database: `a`\nUSE `a`;\n-- Table structure for table `rows`\nCREATE rows;\n-- Current Database: `b`\n"+
		"USE `b`;\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n"+
		"USE `a`;\n-- Table structure for table `heartbeat`\nCREATE heartbeat;\n"+
		"USE `b`;\n-- Table structure for table `heartbeat`\nCREATE heartbeat 2;\n"+DumpEnd, out.String())

	out.Reset()
	position, err := arrange(strings.NewReader("-- SET GLOBAL gtid_slave_pos='0-1-7';\n"+dump), &out, true)
	require.NoError(t, err)
	require.Equal(t, "0-1-7", position)
	require.Contains(t, out.String(), "SQL_LOG_BIN")
}

func TestAFailedLoadSaysWhyInOneLineAndShowsNothingOfTheData(t *testing.T) {
	t.Parallel()
	pair, schema := newSchema(t)
	err := pair.Primary.Load(t.Context(), strings.NewReader("USE "+schema.Name+";\nCREATE TABLE few (id INT PRIMARY KEY, name TEXT);\n"+
		"INSERT INTO few VALUES (1,'a person'),\n(2,'a person'),\n(1,'a person');\n"))
	require.ErrorContains(t, err, "Duplicate entry '1'")
	require.NotContains(t, err.Error(), "a person")
	require.NotContains(t, err.Error(), "\n")
}
