package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAKeyIsLowerCaseUnlessThatNamesAnotherMailbox(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]string{
		"M@X.test": "m@x.test", "M@BÜCHER.test": "m@bücher.test", "m@XN--BCHER-KVA.test": "m@xn--bcher-kva.test",
		"I@mailİhub.test": "i@mailİhub.test", "\u212a@x.test": "\u212a@x.test", "S@straẞe.test": "s@straẞe.test", "": "",
	} {
		require.Equal(t, want, EmailKey(email), email)
	}
}

func TestAnEmailNamesTheMemberThatSpellsItMostAlike(t *testing.T) {
	t.Parallel()
	unicode, ascii := Member{ID: 1, Email: "m@bücher.test"}, Member{ID: 2, Email: "m@xn--bcher-kva.test"}
	turkish, kelvin := Member{ID: 3, Email: "i@mailİhub.test"}, Member{ID: 4, Email: "\u212a@x.test"}
	all := []Member{unicode, ascii, turkish, kelvin}
	for email, want := range map[string]uint64{
		"m@bücher.test": 1, "M@BÜCHER.test": 1, "m@xn--bcher-kva.test": 2, "M@XN--BCHER-KVA.TEST": 2, "m@ｂücher.test": 1,
		"i@mailİhub.test": 3, "i@mailihub.test": 0, "\u212a@x.test": 4, "k@x.test": 0, "n@bücher.test": 0, "": 0,
	} {
		holder, found := Holder(email, all)
		require.Equal(t, want, holder.ID, email)
		require.Equal(t, want != 0, found, email)
	}
}

func TestTheKeysOfAnEmailFindBothSpellingsThatBrowsersSend(t *testing.T) {
	t.Parallel()
	for _, email := range []string{"M@bücher.test", "m@XN--bcher-kva.test", "m@ＢÜCHER.test"} {
		require.Subset(t, EmailKeys(email), []string{"m@bücher.test", "m@xn--bcher-kva.test"}, email)
	}
	require.Equal(t, []string{"m@x.test"}, EmailKeys("M@x.test"))
	require.Contains(t, EmailKeys("I@mailİhub.test"), "i@mailihub.test", "the key of before")
}

func TestSpellingsOfAMailboxAreThrottledTogether(t *testing.T) {
	t.Parallel()
	require.Equal(t, newPasswordAttempt(Client{}, "m@bücher.test", 0).Subjects(), newPasswordAttempt(Client{}, "M@xn--bcher-kva.test", 0).Subjects())
	require.NotEqual(t, newPasswordAttempt(Client{}, "i@mailİhub.test", 0).Subjects(), newPasswordAttempt(Client{}, "i@mailihub.test", 0).Subjects())
}
