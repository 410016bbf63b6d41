package account_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/listing/listingtest"
)

func TestTheReferenceSaysWhatMayBeAskedOfLists(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../gateway/API.md")
	require.NoError(t, err)
	masked, open := populated(account.DirectoryMasked), populated(account.DirectoryOpen)
	const users = "`/accounts/users`, for "
	listingtest.RequireDescribed(t, string(text), users+"admins", masked.Listable(callerAdmin))
	listingtest.RequireDescribed(t, string(text), users+"other members where the directory is `open`", open.Listable(callerB))
	listingtest.RequireDescribed(t, string(text), users+"other members", masked.Listable(callerB))
	listingtest.RequireDescribed(t, string(text), "`/auth/sessions`", account.Sessions)
	listingtest.RequireDescribed(t, string(text), "`/audit/events`", account.AuditList)
}
