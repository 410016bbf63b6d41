package account_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/listing/listingtest"
)

func TestTheDescriptionSaysWhatMayBeAskedOfLists(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../gateway/openapi.yaml")
	require.NoError(t, err)
	masked, open := populated(account.DirectoryMasked), populated(account.DirectoryOpen)
	const users = "/accounts/users"
	listingtest.RequireDescribed(t, text, users, masked.Listable(callerAdmin))
	listingtest.RequireDescribedFor(t, text, users, "members in an `open` directory", open.Listable(callerB))
	listingtest.RequireDescribedFor(t, text, users, "other members", masked.Listable(callerB))
	listingtest.RequireDescribed(t, text, "/auth/sessions", account.Sessions)
	listingtest.RequireDescribed(t, text, "/audit/events", account.AuditList)
	listingtest.RequireChoices(t, text, "AuditAction", audit.Actions())
	listingtest.RequireChoices(t, text, "AuditOutcome", audit.Outcomes())
}
