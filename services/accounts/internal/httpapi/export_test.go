package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnAdminExportsMembersAsTheListShowsThemAndNobodyElseDoes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin, who := a.admin(t), a.signUp(t, "sungi@x.test")
	got := a.ask(t, admin, http.MethodGet, "/accounts/export?ordering=id&limit=1", "")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, `attachment; filename="members.csv"`, got.header.Get("Content-Disposition"))
	lines := strings.Split(strings.TrimSuffix(got.body, "\r\n"), "\r\n")
	require.Len(t, lines, 3)
	require.Equal(t, "\ufeffid,email,name,nickname,phone,gender,is_active,is_admin,created_at", lines[0])
	require.Equal(t, fmt.Sprintf("%d,sungi@x.test,김선기,sungi,01083574364,,true,false,%s", who.MemberID, noon), lines[2])

	got = a.ask(t, admin, http.MethodGet, "/accounts/export?format=ndjson", "")
	require.Equal(t, "application/x-ndjson", got.header.Get("Content-Type"))
	require.Equal(t, 2, strings.Count(got.body, "\n"))
	require.Contains(t, got.body, `"gender":null,"is_active":true,"is_admin":false,"created_at":"`+noon+`"}`)

	require.Equal(t, http.StatusForbidden, a.ask(t, who, http.MethodGet, "/accounts/export", "").status)
	require.Equal(t, http.StatusForbidden, a.ask(t, who, http.MethodGet, "/accounts/export?is_admin=maybe", "").status)
	require.Equal(t, http.StatusBadRequest, a.ask(t, admin, http.MethodGet, "/accounts/export?is_admin=maybe", "").status)
	require.Equal(t, http.StatusUnauthorized, a.ask(t, anonymous, http.MethodGet, "/accounts/export", "").status)
}
