package account_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// technology is what the domain must not reach, not even through a library that it imports. JSON is missing here because
// log/slog imports it; the linter keeps the domain from importing it directly.
var technology = []string{
	"net", "net/http", "database/sql",
	"github.com/gofiber/fiber/v2", "github.com/valyala/fasthttp",
	"github.com/nats-io/nats.go", "github.com/go-sql-driver/mysql", "oms.internal/libs/mysqlx",
}

// reached lists all packages that the packages link.
func reached(t *testing.T, packages ...string) []string {
	t.Helper()
	listed, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, packages...)...).Output()
	require.NoError(t, err)
	return strings.Fields(string(listed))
}

func TestTheDomainReachesNoTransportAndNoDatabase(t *testing.T) {
	t.Parallel()
	linked := reached(t, ".")
	for _, path := range technology {
		require.False(t, slices.Contains(linked, path), "%s is linked", path)
	}
	require.Subset(t, reached(t, "../..."), technology, "the check sees what packages link")
}
