package dbpair

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheStartingPrimaryIsKnownFromTheDataWhereTheRecordIsDamaged(t *testing.T) {
	t.Parallel()
	const unknown = "unknown"
	damages := map[string]func(t *testing.T, file string){
		"gone":  func(*testing.T, string) {},
		"empty": func(t *testing.T, file string) { require.NoError(t, os.WriteFile(file, nil, 0o600)) },
		"cut": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(`{"primary":"re`), 0o600))
		},
		"garbage": func(t *testing.T, file string) { require.NoError(t, os.WriteFile(file, []byte("\x00\xff"), 0o600)) },
		"another server": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(`{"primary":"x"}`), 0o600))
		},
		"unreadable": func(t *testing.T, file string) { require.NoError(t, os.Mkdir(file, 0o700)) },
	}
	for name, damage := range damages {
		for _, test := range []struct {
			replicas []string // the servers whose data shows that they followed the other
			want     string
		}{
			{[]string{"replica"}, "primary"},          // as after the first start
			{[]string{"primary"}, "replica"},          // as after a failover and a rejoin
			{nil, unknown},                            // a failover without a rejoin
			{[]string{"primary", "replica"}, unknown}, // an interrupted failover
		} {
			dir := t.TempDir()
			for _, server := range []string{"primary", "replica"} {
				require.NoError(t, os.MkdirAll(dataIn(filepath.Join(dir, server)), 0o700))
			}
			for _, replica := range test.replicas {
				require.NoError(t, os.WriteFile(filepath.Join(dataIn(filepath.Join(dir, replica)), "master.info"), nil, 0o600))
			}
			damage(t, rolesFile(dir))
			primary, err := RecordedPrimary(dir)
			if test.want != unknown {
				require.NoError(t, err, "%s %v", name, test.replicas)
				require.Equal(t, test.want, primary, "%s %v", name, test.replicas)
				continue
			}
			require.ErrorContains(t, err, rolesFile(dir), "%s %v", name, test.replicas)
			require.ErrorContains(t, err, `Write {"primary":"primary"} into the file, or {"primary":"replica"}`)
		}
	}
	dir := t.TempDir()
	primary, err := RecordedPrimary(dir)
	require.NoError(t, err, "nothing was ever started")
	require.Equal(t, "primary", primary)
	require.NoError(t, recordPrimary(dir, "replica"))
	primary, err = RecordedPrimary(dir)
	require.NoError(t, err)
	require.Equal(t, "replica", primary)
}
