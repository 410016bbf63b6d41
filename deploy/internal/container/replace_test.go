package container

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

func TestOnlyAContainerThatSaysSoIsReady(t *testing.T) {
	t.Parallel()
	for described, ready := range map[string]bool{
		`{"State":{"Status":"running","Health":{"Status":"healthy"}}}`:    true,
		`{"State":{"Status":"running","Health":{"Status":"starting"}}}`:   false,
		`{"State":{"Status":"running","Health":{"Status":"unhealthy"}}}`:  false,
		`{"State":{"Status":"running"}}`:                                  false,
		`{"State":{"Status":"restarting","Health":{"Status":"healthy"}}}`: false,
		`{"State":{"Status":"exited","Health":{"Status":"healthy"}}}`:     false,
	} {
		var one instance
		require.NoError(t, json.Unmarshal([]byte(described), &one))
		require.Equal(t, ready, one.ready(), described)
	}
}

func TestAContainerThatHangsIsNotTakenForReadyAlthoughTheEngineCallsItHealthy(t *testing.T) {
	t.Parallel()
	for described, failing := range map[string]bool{
		`{"State":{"Status":"running","Health":{"Status":"healthy","Log":[{"ExitCode":0},{"ExitCode":1,"Output":"no answer"}]}}}`: true,
		`{"State":{"Status":"running","Health":{"Status":"healthy","Log":[{"ExitCode":-1},{"ExitCode":-1}]}}}`:                    true,
		`{"State":{"Status":"running","Health":{"Status":"unhealthy","Log":[{"ExitCode":1}]}}}`:                                   true,
		`{"State":{"Status":"running","Health":{"Status":"healthy","Log":[{"ExitCode":1},{"ExitCode":0,"Output":"ready"}]}}}`:     false,
		`{"State":{"Status":"running","Health":{"Status":"healthy","Log":[{"ExitCode":0},{"ExitCode":-1,"Output":"too long"}]}}}`: false,
		// What starts is not ready yet, and is waited for.
		`{"State":{"Status":"running","Health":{"Status":"starting","Log":[{"ExitCode":1}]}}}`:     false,
		`{"State":{"Status":"restarting","Health":{"Status":"unhealthy","Log":[{"ExitCode":1}]}}}`: false,
		`{"State":{"Status":"running"}}`: false,
	} {
		var one instance
		require.NoError(t, json.Unmarshal([]byte(described), &one))
		require.Equal(t, failing, one.failing(), described)
		require.False(t, failing && one.ready(), described)
	}
}

func TestTheOperatorHearsWhatMadeAContainerOutOfDate(t *testing.T) {
	t.Parallel()
	before := blueprint{image: "a", settings: "b", secrets: "c"}
	for want, next := range map[string]blueprint{
		"binary":           {"x", "b", "c"},
		"settings":         {"a", "x", "c"},
		"secrets":          {"a", "x", "x"}, // their digest is a label, and so a setting
		"binary, settings": {"x", "x", "c"},
		"binary, secrets":  {"x", "x", "x"},
	} {
		require.Equal(t, want, before.because(next))
	}
}

// volumesIn returns what the services of compose.yaml mount of its volumes, as "VOLUME:PATH…".
func volumesIn(t *testing.T) map[string][]string {
	t.Helper()
	content, err := os.ReadFile("../../compose.yaml")
	require.NoError(t, err)
	_, blocks, _ := strings.Cut(string(content), "\nservices:\n")
	blocks, volumes, found := strings.Cut(blocks, "\nvolumes:\n")
	require.True(t, found)
	volumes, _, _ = strings.Cut(volumes, "\n\n")
	mounts := map[string][]string{}
	for _, volume := range regexp.MustCompile(`(?m)^  ([\w-]+):`).FindAllStringSubmatch(volumes, -1) {
		mounted := regexp.MustCompile(`[ "]` + volume[1] + `:/[^\s"]+`)
		service := ""
		for line := range strings.Lines(blocks) {
			if name := regexp.MustCompile(`^  ([\w-]+):\n`).FindStringSubmatch(line); name != nil {
				service = name[1]
			}
			for _, mount := range mounted.FindAllString(line, -1) {
				mounts[service] = append(mounts[service], mount[1:])
			}
		}
	}
	return mounts
}

func TestAServiceReachesTheSocketOfItsOwnPortAndOfNoOther(t *testing.T) {
	t.Parallel()
	mounts := volumesIn(t)
	keeper := mounts[ports]
	slices.Sort(keeper)
	require.Equal(t, []string{
		"accounts-port:/run/ports/accounts", "gateway-port:/run/ports/gateway", "orders-port:/run/ports/orders",
	}, keeper)
	delete(mounts, ports)
	require.Equal(t, map[string][]string{
		"gateway":  {"gateway-port:/run/port:ro"},
		"accounts": {"accounts-port:/run/port:ro"},
		"orders":   {"orders-port:/run/port:ro"},
		"primary":  {"primary:/var/lib/mysql"},
		"replica":  {"replica:/var/lib/mysql"},
		"nats":     {"nats:/data"},
	}, mounts)
}

// readersOf are the services that mount each file of the secrets, as compose.yaml says.
func readersOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "deploy", "compose.yaml"))
	require.NoError(t, err)
	fileOf := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^  ([\w-]+): \{file: "\S+/([\w.-]+)"\}$`).FindAllStringSubmatch(string(content), -1) {
		fileOf[match[1]] = match[2]
	}
	readers := map[string][]string{}
	for _, service := range services {
		_, block, found := strings.Cut(string(content), "\n  "+service+":\n")
		require.True(t, found, service)
		block, _, _ = strings.Cut(block, "\n\n")
		require.Contains(t, block, `labels: {oms.secrets: "${`+strings.ToUpper(service)+`_SECRETS:-}"}`)
		list := regexp.MustCompile(`\n    secrets: \[(.+)\]\n`).FindStringSubmatch(block)
		require.NotNil(t, list, service)
		for _, name := range strings.Split(list[1], ", ") {
			require.Contains(t, fileOf, name)
			readers[fileOf[name]] = append(readers[fileOf[name]], service)
		}
	}
	return readers
}

func TestAnotherSecretReplacesTheServicesThatReadItAndNoOther(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	settings := map[string]string{"OMS_DATA": data}
	s, err := stack.Find(func(name string) (string, bool) {
		value, found := settings[name]
		return value, found
	})
	require.NoError(t, err)
	require.NoError(t, secret.Ensure(s.Secrets(), time.Now()))
	runner := New(s, &strings.Builder{})
	variables := func() map[string]string {
		digests := map[string]string{}
		for _, entry := range runner.environment() {
			if name, value, _ := strings.Cut(entry, "="); strings.HasSuffix(name, "_SECRETS") && name != "OMS_SECRETS" {
				require.NotEmpty(t, value, name)
				digests[name] = value
			}
		}
		return digests
	}
	readers := readersOf(t, s.Root)
	require.NotEmpty(t, readers)
	for file, want := range readers {
		before := variables()
		require.NoError(t, os.WriteFile(filepath.Join(s.Secrets(), file), []byte("another "+file), 0o600))
		after := variables()
		var replaced []string
		for _, service := range services {
			if variable := strings.ToUpper(service) + "_SECRETS"; before[variable] != after[variable] {
				replaced = append(replaced, service)
			}
		}
		slices.Sort(want)
		slices.Sort(replaced)
		require.Equal(t, want, replaced, file)
	}
}

// filesIn returns the files of deploy/ that the servers of compose.yaml mount, by the variable in the server's label that stands for them.
// Those with which MySQL makes a server are not among them: nobody reads them later. Nor is its health check, for which no server is
// replaced.
func filesIn(t *testing.T) map[string][]string {
	t.Helper()
	content, err := os.ReadFile("../../compose.yaml")
	require.NoError(t, err)
	_, anchor, found := strings.Cut(string(content), "x-mysql: &mysql\n")
	require.True(t, found)
	anchor, _, _ = strings.Cut(anchor, "\n\n")
	files := map[string][]string{}
	for _, server := range servers {
		_, block, found := strings.Cut(string(content), "\n  "+server+":\n")
		require.True(t, found, server)
		block, _, _ = strings.Cut(block, "\n\n")
		if strings.Contains(block, "<<: *mysql") {
			block += anchor
		}
		label := regexp.MustCompile(`oms\.files: "\$\{(\w+):-\}"`).FindStringSubmatch(block)
		require.NotNil(t, label, server)
		for _, mount := range regexp.MustCompile(`- \./(\S+):(\S+):ro`).FindAllStringSubmatch(block, -1) {
			makes := strings.HasPrefix(mount[2], "/docker-entrypoint-initdb.d/") || strings.HasSuffix(mount[2], "/users.sql.template")
			if !makes && mount[1] != "mysql/healthy.sh" && !slices.Contains(files[label[1]], mount[1]) {
				files[label[1]] = append(files[label[1]], mount[1])
			}
		}
	}
	return files
}

func TestAnotherFileOfTheReleaseReplacesTheServersThatMountIt(t *testing.T) {
	t.Parallel()
	files := filesIn(t)
	require.Equal(t, mountedFiles, files)
	root := t.TempDir()
	runner := New(stack.Stack{Root: root, Folder: t.TempDir()}, &strings.Builder{})
	value := func(variable string) string {
		for _, entry := range runner.environment() {
			if digest, found := strings.CutPrefix(entry, variable+"="); found {
				return digest
			}
		}
		return ""
	}
	write := func(file, content string) {
		path := filepath.Join(root, "deploy", file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	for variable, names := range files {
		for _, name := range names {
			write(name, "before")
		}
		for _, name := range names {
			before := value(variable)
			require.NotEmpty(t, before)
			write(name, "after")
			require.NotEqual(t, before, value(variable), name)
		}
	}
}

func TestOnlyABuildNeedsTheGoCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	runner := New(stack.Stack{Root: t.TempDir(), Folder: t.TempDir()}, &strings.Builder{})
	command := runner.command(t.Context(), "ps")
	require.Contains(t, command.Env, "OMS_SECRETS="+runner.published())
	require.ErrorContains(t, runner.build(t.Context()), "settings of the go command")
}
